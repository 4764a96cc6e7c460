// Tiles that are decoded together: each has a record of u32, most of them addresses.

/** What the caller says of a tile, or of some groups of it. The list has room for a u32 a group, and one more, masks for as many u64. */
export const UNIT: usize = 0;
export const GROUPS: usize = 4;
export const SIGNIFICANT: usize = 8;
export const SIGNS: usize = 12;
export const COUNTS: usize = 16;
export const DENSE: usize = 20;
export const PLANE: usize = 24;
export const SCALES: usize = 28;
export const LIST: usize = 32;
export const MASKS: usize = 36;
/** What it is told: bytes that have been read of the unit. */
export const USED: usize = 40;

/** What kernels note: groups in the list; where their bits begin, and how many have been read; the end of those that have any. */
export const LISTED: usize = 44;
export const STREAM: usize = 48;
export const POSITION: usize = 52;
export const LIST_END: usize = 56;
/** A batch byte that is being used up: what is left of it, and for how many groups that still speaks. Or which codes groups have. */
export const BATCH: usize = 60;
export const KINDS: usize = 60;

/** Where the symbols of the last group go once they are known: what spreads them, and the bitmap. Then entries of codes, eight u16. */
export const SPREAD: usize = 68;
export const BITMAP: usize = 72;
export const ENTRIES: usize = 80;

export const RECORD_BYTES: usize = 96;

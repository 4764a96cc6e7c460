// The kernel's work memory: what lasts for a frame, and scratch. `../wasm.ts` allocates WORK_BYTES and
// fills CONSTANTS.

/** The three last offsets, u32 each. */
export const OFFSETS: usize = 0;
/** Bits of the Huffman table, u32; 0 as long as the frame had none. */
export const HUFFMAN_BITS: usize = 12;
/** Where the literals of the block are, and how many. */
export const LITERALS_ADDRESS: usize = 16;
export const LITERALS_COUNT: usize = 20;
/** Accuracy of the distribution that was read last. */
export const LAST_LOG: usize = 24;
/** Where the block at work begins, counted from the first one, and which part of it is read: u32 each, for errors. */
export const BLOCK_START: usize = 28;
export const BLOCK_PART: usize = 32;
/** Most bytes of a block, u32. */
export const BLOCK_MAX: usize = 36;

/** How often each symbol occurs, i16; while a Huffman table is made, places by weight. */
export const COUNTS: usize = 64;
/** The next state of each symbol, u16. */
export const NEXT: usize = COUNTS + 512;
/** Huffman weights, a byte a symbol. */
export const WEIGHTS: usize = NEXT + 512;
/** Distribution of Huffman weights: 2^6 states. */
export const WEIGHT_STATES: usize = WEIGHTS + 256;
/** Three descriptions of CODES_BYTES each: literals length, offset, match length. */
export const CONSTANTS: usize = WEIGHT_STATES + 512;

/** In a description: 64 counts (i8), 64 numbers of bits (u8), 64 bases (u32), then three u32 and the states. */
export const CODES_COUNTS: usize = 0;
export const CODES_BITS: usize = 64;
export const CODES_BASES: usize = 128;
/** How many codes there are, log of the predefined distribution, largest log allowed. */
export const CODES_SYMBOLS: usize = 384;
export const CODES_DEFAULT_LOG: usize = 388;
export const CODES_MAX_LOG: usize = 392;
/** Log of the states in use, plus 1; 0 as long as the frame had none. */
export const CODES_LOG: usize = 396;
/** Up to 2^9 states of 8 bytes. */
export const CODES_STATES: usize = 400;
export const CODES_BYTES: usize = CODES_STATES + 4096;

/** 2^11 entries: symbol, then number of bits, a byte each. */
export const HUFFMAN: usize = CONSTANTS + 3 * CODES_BYTES;
/** Literals of one block and what wide copies read behind them. */
export const LITERALS: usize = HUFFMAN + 4096;

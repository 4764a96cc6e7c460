/** The inner loops of the embedded encoding. `docs/formats/embedded.md` describes the format. */

/**
 * The state of a tile's weights between two planes, made by `newTileState`. Bit i of a bitmap belongs to weight i of
 * the tile; the first one is the lowest bit of the first byte. A group is 64 weights.
 */
export interface TileState {
  /** Weights in the tile; zeros fill the last group. */
  readonly count: number;
  readonly groups: number;
  /** The five arrays below, one after another, so that one copy moves them all. */
  readonly bytes: Uint8Array;
  /** Weights with a bit set so far. Not updated for dense groups. */
  readonly significant: Uint8Array;
  /** 1: negative. Known for significant weights, and for all of a dense group. */
  readonly signs: Uint8Array;
  /** Significant weights of each group. Not updated for dense groups. */
  readonly counts: Uint8Array;
  /** Not 0 for each group whose signs are all known: `FIRST_DENSE` before its next plane, `DENSE` from there on. */
  readonly dense: Uint8Array;
  /** The root mean square of each group's weights, in quarter octaves of the lowest plane's step. */
  readonly scales: Uint8Array;
  /** No scale is less, and none more. */
  readonly leastScale: number;
  readonly mostScale: number;
}

/** When the signs of all weights of a group are sent. It is dense from then on. */
export interface DenseRule {
  /** It has this many significant weights, */
  readonly threshold: number;
  /** or its scale is this many quarter octaves, or more, above the threshold of the plane; negative: below. */
  readonly ratio: number;
}

/** How the groups of a plane that are coded are. */
export interface PlaneCoding {
  /**
   * Numbers of codes: two bytes for class 0 (of the code for batches | of the one for masks << 4; of the one for
   * bytes), then one byte per class (of the code for masks | of the one for bytes << 4); 0xFF: not coded.
   */
  readonly selection: Uint8Array;
  /** The bits of weights that were significant before follow the coded bitmap in place of being in it. */
  readonly apart: boolean;
  /**
   * Codes by class and scale, in place of a selection: a fixed table, with some of its letters replaced, in the order of their
   * places: 32 times the place, and the number of the code. Undefined: the selection.
   */
  readonly fixed: Uint16Array | undefined;
  /** Planes below it. */
  readonly level: number;
  /** How many planes of a dense group are coded, 1 or 2. Those after them are stored. */
  readonly codedDense: number;
}

/** A unit, or the part of one that has some groups of its tile, and what it changes. */
export interface TileStep {
  readonly unit: Uint8Array;
  readonly state: TileState;
  /** The first group. */
  readonly from: number;
  /** The group before which it ends. */
  readonly to: number;
  /** Of the plane, or of the one that the signs follow. */
  readonly coding: PlaneCoding;
  /** The bitmap of these groups, to fill; undefined: the unit has signs. */
  readonly plane: Uint8Array | undefined;
}

/** How the bits of a floating-point element divide; the sign is the highest bit, the mantissa the lowest ones. */
export interface FloatLayout {
  readonly bytes: 2 | 4;
  readonly mantissaBits: number;
  readonly exponentBits: number;
  readonly bias: number;
  /**
   * There are no subnormal numbers, but numbers of small exponents have shorter mantissas: one less bit than their exponent
   * field says, and zeros below. The lowest plane has the exponent field 1, or one of a whole mantissa.
   */
  readonly tapered?: boolean;
}

/** All that is known of a tile from its planes, and how to read it. */
export interface PlanesOfTile {
  readonly state: TileState;
  /** Bitmaps, the highest first. */
  readonly planes: readonly Uint8Array[];
  readonly layout: FloatLayout;
  /** 1 in the lowest plane stands for 2^scale. */
  readonly scale: number;
  /** Codes of the bitmap of non-zero weights; empty without one: zeros are then coded as floats. */
  readonly selection: Uint8Array;
}

/** Where in its interval a weight is put, in 1/256 of the lowest known plane's step. */
export interface Place {
  /** A significant weight. */
  readonly centroid: number;
  /** A weight of which only the sign is known. */
  readonly zeroCentroid: number;
  /** Of that plane: 1 in it stands for 2^exponent. */
  readonly exponent: number;
}

/** A part of a row whose weights are sorted by their columns. */
export interface RowPart {
  /** Where column 0 of the row is, or would be, counted from the first weight of the tile. */
  readonly first: number;
  /** The columns, in the order of the tile. */
  readonly columns: Uint32Array;
}

/** How tiles are cut into planes. */
export interface TilePlan {
  /** 1 in the lowest plane stands for 2^scale. */
  readonly scale: number;
  readonly depth: number;
  readonly dense: DenseRule;
  /** As in `PlaneCoding`. */
  readonly codedDense: number;
}

/** The weights of a tile, for an encoder. */
export interface TileWeights {
  /** Their bits, in the order of the tensor; finite. Integers come as single-precision numbers. */
  readonly patterns: Uint16Array | Uint32Array;
  readonly layout: FloatLayout;
  /** What sorts them; undefined: their order is that of the tensor. */
  readonly parts: readonly RowPart[] | undefined;
  /** Of the tile's groups, as in `TileState`. */
  readonly scales: Uint8Array;
}

/** Weights in the order of their tile. */
export interface SortedWeights extends Omit<TileWeights, 'parts'> {
  /** Of NaNs and infinities, for which no number stands: the patterns are zeros there. */
  readonly places: readonly number[];
}

/** Where a pass puts weights, in steps of the lowest plane. */
export interface GroupPlacing {
  /** Steps of its plane in one of the lowest. */
  readonly perStep: number;
  readonly step: number;
  /** A weight within its step. */
  readonly inside: number;
  /** One without a bit, where its sign is known: in groups that have enough weights of at least `least`, or this scale. */
  readonly ofZero: number;
  readonly least: number;
  readonly leastScale: number;
}

/** What codes of the planes of tiles would cost. */
export interface TileCounts {
  /** Symbols to code by selections, for each plane twice, with bits together and apart: see `survey.ts`. */
  readonly symbols: Uint32Array;
  /**
   * For each plane how many groups are in it that are dense since the plane before: with a selection, these are stored as they
   * are; and how many weights were significant before it.
   */
  readonly costs: Uint32Array;
  /** Symbols to code by fixed codes, for each plane: see `fixedSymbols.ts`. */
  readonly fixed: readonly Uint32Array[];
  /** Symbols of the remainder's bitmap of non-zero weights, to code by a selection; none where it is not wanted. */
  readonly nonzero: Uint32Array;
}

/** How to code tiles. */
export interface TileCoding extends TilePlan {
  readonly planes: readonly PlaneCoding[];
  /** Codes of the remainder's bitmap of non-zero weights; undefined: there is no remainder. */
  readonly nonzero: Uint8Array | undefined;
  /** Only the units of the last plane are wanted: kernels may leave those before empty, and sums and the energy 0. */
  readonly lastOnly?: boolean | undefined;
}

export interface EncodedTile {
  /** Its units, one after another: of each plane two, of its bits and of the signs that follow it; then the remainder. */
  readonly bytes: Uint8Array;
  /** Of each unit; 0 where a plane has no signs. */
  readonly lengths: Uint32Array;
  /** Σ x². As all sums, it is in steps of the lowest plane. */
  readonly energy: number;
  /** See `survey.ts`. */
  readonly sums: Float64Array;
  /** For each group the plane that made it dense; NEVER where none did. */
  readonly denseFrom: Uint8Array;
}

/** What rows and columns of numbers are like. */
export interface RowSurvey {
  /** Σ x² over the finite ones of each row. */
  readonly rows: Float64Array;
  /** The same of each column, the rows before included. */
  readonly columns: Float64Array;
  /** Numbers by their exponent field in single precision; 0 for zeros and subnormal numbers. */
  readonly exponents: Uint32Array;
  /** Subnormal numbers by their highest bit, 0 to 22, and at the end zeros. */
  readonly subnormals: Uint32Array;
}

/** The inner loops of the embedded encoding. */
export interface EmbeddedKernels {
  /**
   * Decodes units of a tensor in their order, several of a tile among them. A plane: the bytes of the dense groups, uncoded; then, as bits,
   * the other groups, coded, the bits that were kept apart, and the signs of the weights that become significant. Signs: those
   * that are unknown of all weights of the groups that become dense by `rule`.
   * @throws FormatError; states and planes are then corrupt
   */
  decodeSteps(steps: readonly TileStep[], rule: DenseRule): void;
  /**
   * Decodes the remaining bits of each float of a tile. The bits are: if `selection` has codes, the bitmap of the
   * non-zero weights without a bit in any plane; one bit that tells whether zeros among the weights without a sign have
   * one; the missing low bits of the mantissas of all weights in the planes; then the other weights, whole.
   * @param out the patterns of the tile's elements. Where an element has 2 bytes and `out` 4, it takes the upper two:
   *   a bfloat16 is then the same number in single precision.
   * @param parts what brings them into the order of the tensor; undefined: they are in it
   * @throws FormatError
   */
  decodeRemainder(
    bits: Uint8Array,
    tile: PlanesOfTile,
    out: Uint16Array | Uint32Array,
    parts: readonly RowPart[] | undefined,
  ): void;
  /**
   * Writes the best numbers for the weights of a tile from its known planes; 0 where nothing is known.
   * @param parts as above
   */
  placeWeights(
    planes: readonly Uint8Array[],
    state: TileState,
    place: Place,
    out: Float32Array,
    parts: readonly RowPart[] | undefined,
  ): void;
}

/** The inverse. Separate from decoding, because most programs with a network never encode. */
export interface EmbeddedEncodeKernels {
  /**
   * @param patterns bits of elements, rows of `rowLength` of them; the last one may be shorter. Integers come as
   *   single-precision numbers.
   * @param before energies of columns over the rows before these: those of these are added to them, in a new array
   */
  surveyRows(
    patterns: Uint16Array | Uint32Array,
    layout: FloatLayout,
    rowLength: number,
    before: Float64Array,
  ): RowSurvey;
  /**
   * @param selections may be used: without, all planes have fixed codes, and their symbols are counted together
   * @param marks whether the remainder marks weights that are not zero
   */
  countTiles(tiles: readonly TileWeights[], plan: TilePlan, selections: boolean, marks: boolean): TileCounts;
  /** The elements of a tile in its order. */
  sortTile(tile: TileWeights): TileWeights['patterns'];
  /**
   * Of each group two numbers: what a pass after another adds to ‖x̂‖², and to ‖x − x̂‖².
   * @param scale of the lowest plane
   * @param threshold weights of at least `least` that a group needs to be dense
   */
  groupChanges(
    weights: SortedWeights,
    scale: number,
    threshold: number,
    now: GroupPlacing,
    then: GroupPlacing,
  ): Float64Array;
  /**
   * @param exceptions the bytes that the remainder begins with
   * @param room where units may go, if they fit; the elements themselves may be there
   */
  encodeTile(
    tile: TileWeights,
    coding: TileCoding,
    exceptions: Uint8Array,
    room?: Uint8Array | undefined,
  ): EncodedTile;
}

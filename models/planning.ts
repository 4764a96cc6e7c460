import { type AllLimits, Budget, type LimitsOption, limitsOf } from '../src/checks/limits.js';
import { listOf, oneOf, type Rules, text } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { QUALITY } from '../src/holotensor/quality.js';
import { elementCount } from '../src/tensor/dtype.js';
import type { LoadableTensor, LoadPiece } from './inputs/content.js';

/** A piece and the tensor that it belongs to. */
export interface PlannedPiece extends LoadPiece {
  readonly tensor: LoadableTensor;
  /** Its number among the tensor's pieces. */
  readonly piece: number;
}

/** What of a model is loaded, and in which order. */
export interface PlanOptions {
  /**
   * Cosine similarity at which to stop: of every tensor, or, with the strategy 'scan', of the whole (the mean of the
   * tensors' cosines by their weights, see `Model.quality`). Default 1: everything.
   */
  readonly quality?: number | undefined;
  /** Tensors to load. Default: all. */
  readonly tensors?: readonly string[] | undefined;
  /** Tensors to load first, in this order. */
  readonly priority?: readonly string[] | undefined;
  /**
   * - 'scan': the file in its own order, in one sequential request, until the whole has the quality.
   * - 'quality': only those pieces of each tensor that the quality takes, adjacent ones in one request.
   * - 'tensors': one tensor after another, each up to the quality.
   *
   * Default 'scan'; 'quality' where `tensors` are chosen.
   */
  readonly strategy?: 'scan' | 'quality' | 'tensors' | undefined;
}

export const PLAN_RULES: Rules<PlanOptions> = {
  quality: QUALITY,
  tensors: /* @__PURE__ */ listOf(text),
  priority: /* @__PURE__ */ listOf(text),
  strategy: /* @__PURE__ */ oneOf(['scan', 'quality', 'tensors']),
};

/**
 * Whether it is a tensor of the model. What is around the tensors of files of other formats is U8 without weight, with the name
 * `<file>:<offset>`: it is only read with them.
 */
export function isOwn({ weight, dtype, name }: LoadableTensor): boolean {
  return weight > 0 || dtype !== 'U8' || !/:\d+_*$/.test(name);
}

/** The tensors of a model, made ready once for any number of plans: found by their names, their files in order. */
export class Catalog {
  readonly tensors: readonly LoadableTensor[];
  readonly #byName: ReadonlyMap<string, LoadableTensor>;
  /** The number of each file, in the order of the tensors. */
  readonly #files = new Map<unknown, number>();

  constructor(tensors: readonly LoadableTensor[]) {
    this.tensors = tensors;
    this.#byName = new Map(tensors.filter(isOwn).map((tensor) => [tensor.name, tensor]));
    for (const { pieces } of tensors) {
      for (const { file } of pieces) if (!this.#files.has(file)) this.#files.set(file, this.#files.size);
    }
  }

  /** @throws ArgumentError for names that the model does not have */
  chosen(names: readonly string[]): LoadableTensor[] {
    return names.map((name) => {
      const tensor = this.#byName.get(name);
      if (tensor === undefined)
        throw new ArgumentError('Cannot find the tensor: no tensor of this name in the model', { name });
      return tensor;
    });
  }

  /** The same tensors, with all others of the files that are of use as a whole only. */
  withCompanions(tensors: readonly LoadableTensor[]): readonly LoadableTensor[] {
    if (tensors === this.tensors) return tensors;
    const files = new Set(
      tensors.flatMap(({ pieces }) => pieces.map(({ file }) => file)).filter((file) => file.whole),
    );
    if (files.size === 0) return tensors;
    const chosen = new Set(tensors);
    return this.tensors.filter((one) => chosen.has(one) || one.pieces.some(({ file }) => files.has(file)));
  }

  /** Sorts by file, in the order of the tensors, then by place in the file. */
  inOrder(pieces: PlannedPiece[]): PlannedPiece[] {
    const rank = ({ file }: PlannedPiece) => this.#files.get(file)!;
    const inFile = (a: PlannedPiece, b: PlannedPiece) => a.offset - b.offset || a.piece - b.piece;
    // Most models are one file, of thousands of pieces.
    if (this.#files.size === 1) return pieces.sort(inFile);
    return pieces.sort((a, b) => rank(a) - rank(b) || inFile(a, b));
  }
}

/**
 * Which pieces to fetch, in which order, without those that are loaded. The pieces of one tensor stay in their order. Every
 * tensor has some of its own, and all together have bytes enough to pay for decoding.
 * @param isLoaded whether a piece is loaded already
 * @throws ArgumentError for names that the model does not have
 */
export function planPieces(
  catalog: Catalog,
  options: PlanOptions & LimitsOption,
  isLoaded: (tensor: LoadableTensor, piece: number) => boolean = () => false,
): PlannedPiece[] {
  const { tensors, priority = [] } = options;
  const { strategy = tensors === undefined ? 'scan' : 'quality' } = options;
  const chosen = tensors === undefined ? catalog.tensors : catalog.chosen(tensors);
  const wanted = catalog.withCompanions(chosen);
  const isWhole = wanted.some(({ pieces }) => pieces.some(({ file }) => file.whole));
  const quality = isWhole ? 1 : (options.quality ?? 1);
  const limits = limitsOf({ limits: options.limits });
  const pieces = strategy === 'scan' ? scan(catalog, wanted, quality, limits) : each(wanted, quality, limits);
  const missing = pieces.filter(({ tensor, piece }) => !isLoaded(tensor, piece));
  const inOrder = strategy === 'tensors' ? missing : catalog.inOrder(missing);
  return withFirst(inOrder, catalog.chosen(priority));
}

/** The pieces in their order, with those of `first` before all others. */
export function withFirst(pieces: readonly PlannedPiece[], first: readonly LoadableTensor[]): PlannedPiece[] {
  if (first.length === 0) return [...pieces];
  // If a tensor is listed twice, its first place counts.
  const ranks = new Map(first.map((tensor, i) => [tensor, i] as const).reverse());
  const rank = ({ tensor }: PlannedPiece) => ranks.get(tensor) ?? first.length;
  return [...pieces].sort((a, b) => rank(a) - rank(b));
}

/** What decoding takes for an element of a tensor in fragments, with its array of another type, about. */
const BYTES_PER_ELEMENT = 7;

/** Bytes that the pieces of these tensors must pay for. */
function costOf(tensors: readonly LoadableTensor[]): number {
  return tensors.reduce(
    (sum, { shape, pieces }) => sum + (pieces.length > 1 ? BYTES_PER_ELEMENT * elementCount(shape) : 0),
    0,
  );
}

/** The pieces of each tensor up to the quality. */
function each(tensors: readonly LoadableTensor[], quality: number, limits: AllLimits): PlannedPiece[] {
  const pieces = tensors.flatMap((tensor) => upTo(tensor, quality));
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (new Budget(limits, bytes).pays({ bytes: costOf(tensors), steps: 0 })) return pieces;
  return tensors.flatMap((tensor) => upTo(tensor, quality, costOf([tensor]) / limits.ratio));
}

/** The pieces of a tensor up to the first with which it has the quality, and this many bytes. */
function upTo(tensor: LoadableTensor, quality: number, least = 0): PlannedPiece[] {
  // Not by a spread, which takes several times as long.
  const planned = ({ file, offset, length, cosine }: LoadPiece, piece: number): PlannedPiece => {
    return { file, offset, length, cosine, tensor, piece };
  };
  const all = tensor.pieces.map(planned);
  if (quality === 1) return all;
  let bytes = 0;
  const reached = tensor.pieces.findIndex(({ cosine, length }) => {
    bytes += length;
    return cosine > 0 && cosine >= quality && bytes >= least;
  });
  return reached < 0 ? all : all.slice(0, reached + 1);
}

/**
 * The pieces in the order of the file, until the whole has the quality. Tensors of which these have nothing have their first
 * numbers beside them: a network needs all of its tensors.
 */
function scan(
  catalog: Catalog,
  tensors: readonly LoadableTensor[],
  quality: number,
  limits: AllLimits,
): PlannedPiece[] {
  const pieces = catalog.inOrder(tensors.flatMap((tensor) => upTo(tensor, 1)));
  if (quality === 1) return pieces;
  const total = tensors.reduce((sum, tensor) => sum + tensor.weight, 0);
  const cost = { bytes: costOf(tensors), steps: 0 };
  const reached = new Map<LoadableTensor, number>();
  const first = tensors.flatMap((tensor) => upTo(tensor, 0));
  const isFirst = new Set(first.map(({ tensor, piece }) => tensor.pieces[piece]));
  let [sum, bytes] = [0, 0];
  const add = ({ tensor, cosine, length }: PlannedPiece) => {
    const before = reached.get(tensor) ?? 0;
    sum += tensor.weight * Math.max(0, cosine - before);
    reached.set(tensor, Math.max(before, cosine));
    bytes += length;
    // Rounding must not require one piece more.
    return sum >= total * (quality - 1e-12) && new Budget(limits, bytes).pays(cost);
  };
  let isReached = false;
  for (const piece of first) isReached = add(piece);
  if (isReached) return first;
  const rest = pieces.filter(({ tensor, piece }) => !isFirst.has(tensor.pieces[piece]));
  const end = rest.findIndex(add);
  return end < 0 ? pieces : [...first, ...rest.slice(0, end + 1)];
}

import { listOf, oneOf, type Rules, text } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { QUALITY } from '../src/holotensor/quality.js';
import type { LoadableTensor, LoadPiece } from './inputs/content.js';

/** A piece and the tensor that it belongs to. */
export interface PlannedPiece extends LoadPiece {
  readonly tensor: LoadableTensor;
  /** Its number among the tensor's pieces. */
  readonly piece: number;
}

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

/** The tensors of a model, made ready once for any number of plans: found by their names, their files in order. */
export class Catalog {
  readonly tensors: readonly LoadableTensor[];
  readonly #byName: ReadonlyMap<string, LoadableTensor>;
  /** The number of each file, in the order of the tensors. */
  readonly #files = new Map<unknown, number>();

  constructor(tensors: readonly LoadableTensor[]) {
    this.tensors = tensors;
    this.#byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    for (const { pieces } of tensors) {
      for (const { file } of pieces) if (!this.#files.has(file)) this.#files.set(file, this.#files.size);
    }
  }

  /** @throws ArgumentError for names that the model does not have */
  chosen(names: readonly string[]): LoadableTensor[] {
    return names.map((name) => {
      const tensor = this.#byName.get(name);
      if (tensor === undefined)
        throw new ArgumentError('Cannot plan the load: no tensor of this name in the model', { name });
      return tensor;
    });
  }

  /** The same tensors, with all others of the files that are of use as a whole only. */
  withCompanions(tensors: readonly LoadableTensor[]): readonly LoadableTensor[] {
    const files = new Set(
      tensors.flatMap(({ pieces }) => pieces.map(({ file }) => file)).filter((file) => file.whole),
    );
    if (files.size === 0 || tensors === this.tensors) return tensors;
    const chosen = new Set(tensors);
    return this.tensors.filter((one) => chosen.has(one) || one.pieces.some(({ file }) => files.has(file)));
  }

  /** Sorts by file, in the order of the tensors, then by place in the file. */
  inOrder(pieces: PlannedPiece[]): PlannedPiece[] {
    const rank = ({ file }: PlannedPiece) => this.#files.get(file)!;
    return pieces.sort((a, b) => rank(a) - rank(b) || a.offset - b.offset || a.piece - b.piece);
  }
}

/**
 * Which pieces to fetch, in which order, without those that are loaded. The pieces of one tensor stay in their order.
 * @param isLoaded whether a piece is loaded already
 * @throws ArgumentError for names that the model does not have
 */
export function planPieces(
  catalog: Catalog,
  options: PlanOptions,
  isLoaded: (tensor: LoadableTensor, piece: number) => boolean = () => false,
): PlannedPiece[] {
  const { tensors, priority = [] } = options;
  const { strategy = tensors === undefined ? 'scan' : 'quality' } = options;
  const chosen = tensors === undefined ? catalog.tensors : catalog.chosen(tensors);
  const wanted = catalog.withCompanions(chosen);
  const isWhole = wanted.some(({ pieces }) => pieces.some(({ file }) => file.whole));
  const quality = isWhole ? 1 : (options.quality ?? 1);
  const pieces =
    strategy === 'scan' ? scan(catalog, wanted, quality) : wanted.flatMap((one) => upTo(one, quality));
  const missing = pieces.filter(({ tensor, piece }) => !isLoaded(tensor, piece));
  const inOrder = strategy === 'tensors' ? missing : catalog.inOrder(missing);
  return withFirst(inOrder, catalog.chosen(priority));
}

/** The pieces in their order, with those of `first` before all others. */
export function withFirst(pieces: readonly PlannedPiece[], first: readonly LoadableTensor[]): PlannedPiece[] {
  // If a tensor is listed twice, its first place counts.
  const ranks = new Map(first.map((tensor, i) => [tensor, i] as const).reverse());
  const rank = ({ tensor }: PlannedPiece) => ranks.get(tensor) ?? first.length;
  return [...pieces].sort((a, b) => rank(a) - rank(b));
}

/** The pieces of a tensor up to the first with which it has the quality. */
function upTo(tensor: LoadableTensor, quality: number): PlannedPiece[] {
  const reached = tensor.pieces.findIndex(({ cosine }) => cosine >= quality);
  const needed = quality === 1 || reached < 0 ? tensor.pieces : tensor.pieces.slice(0, reached + 1);
  return needed.map((piece, number) => ({ ...piece, tensor, piece: number }));
}

/** The pieces in the order of the file, until the whole has the quality. */
function scan(catalog: Catalog, tensors: readonly LoadableTensor[], quality: number): PlannedPiece[] {
  const pieces = catalog.inOrder(tensors.flatMap((tensor) => upTo(tensor, 1)));
  if (quality === 1) return pieces;
  const total = tensors.reduce((sum, tensor) => sum + tensor.weight, 0);
  const before = new Map<LoadableTensor, number>();
  let sum = 0;
  const end = pieces.findIndex(({ tensor, cosine }) => {
    sum += tensor.weight * (cosine - (before.get(tensor) ?? 0));
    before.set(tensor, cosine);
    // Rounding must not require one piece more.
    return before.size === tensors.length && sum >= total * (quality - 1e-12);
  });
  return end < 0 ? pieces : pieces.slice(0, end + 1);
}

import type { Scan, ScanWindow } from '../bytes/scan.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { FormatError, LimitError } from '../errors.js';
import { BYTES, type Field, nextField } from '../protobuf/fields.js';
import { SAFETENSORS_METADATA_KEY } from '../safetensors/header.js';
import { type GraphPart, identityNode, tensorParts } from './graphPart.js';
import { type OnnxTensor, readText, type ScannedTensor, scanTensor } from './tensorProto.js';
import { ATTRIBUTE, GRAPH, MODEL, NODE, VALUE } from './types.js';

export interface ScannedModel {
  readonly tensors: readonly OnnxTensor[];
  readonly parts: readonly GraphPart[];
}

const WHAT = 'Cannot read the ONNX model';

/** As many as protobuf's own parsers take: a graph in a graph is three messages deeper. */
const MAX_DEPTH = 32;

/** Begins the names of tensors that are moved to the outermost graph. */
const MOVED = 'holostream/';

/** What becomes of a field: other content; nothing, if it is removed; undefined for one that stays. */
type Edit = (field: Field) => Scan<readonly GraphPart[] | 'removed' | undefined>;

/** What the fields of a node say that may come after its attributes. */
interface Signature {
  readonly opType: string;
  readonly output: string;
  readonly name: string;
}

/**
 * Finds the tensors of an ONNX model that are worth a file of their own, without reading their elements: initializers and
 * the values of `Constant` nodes, those of graphs within the graph, too. As runtimes look for other files for the outermost
 * graph only (onnxruntime-web), tensors of the others move there, and nodes `Identity` give them their names.
 * @param least bytes of such a tensor. Those that are in another file already are always found.
 * @throws FormatError, TruncatedError, LimitError, UnsupportedError
 */
export function* scanModel(
  window: ScanWindow,
  { least, limits }: LimitsOption & { readonly least: number },
): Scan<ScannedModel> {
  const scanner = new ModelScanner(window, least, limitsOf({ limits }));
  const file = { content: 0, end: window.size };
  let hasGraph = false;
  const edited = yield* scanner.message(file, (field) => {
    if (field.number !== MODEL.graph) return nothing();
    hasGraph = true;
    return scanner.outermost(field);
  });
  // Any bytes that happen to be a protocol buffer, and none at all, come this far.
  if (!hasGraph) throw new FormatError(`${WHAT}: it has no graph`);
  return { tensors: scanner.tensors, parts: edited ?? [{ offset: 0, length: window.size }] };
}

class ModelScanner {
  readonly tensors: OnnxTensor[] = [];
  readonly #window: ScanWindow;
  readonly #least: number;
  readonly #limits: AllLimits;
  /** The last number that a name has been given: graphs beside each other may use the same one. */
  readonly #names = new Map<string, number>([[SAFETENSORS_METADATA_KEY, 1]]);
  /** Tensors in other files, by their places: several may share elements. */
  readonly #shared = new Map<string, OnnxTensor>();
  /** Initializers that have moved to the outermost graph. */
  readonly #moved = new Map<OnnxTensor, GraphPart>();

  constructor(window: ScanWindow, least: number, limits: AllLimits) {
    this.#window = window;
    this.#least = least;
    this.#limits = limits;
  }

  /** The parts of a message whose fields are edited; undefined where none of them has changed. */
  *message({ content, end }: Pick<Field, 'content' | 'end'>, edit: Edit): Scan<GraphPart[] | undefined> {
    const parts: GraphPart[] = [];
    let copied = content;
    for (let at = content; at < end; ) {
      const field = yield* nextField(this.#window, at, end);
      at = field.end;
      const inner = field.type === BYTES ? yield* edit(field) : undefined;
      if (inner === undefined) continue;
      if (field.start > copied) parts.push({ offset: copied, length: field.start - copied });
      if (inner !== 'removed') parts.push({ field: field.number, parts: inner });
      copied = at;
    }
    if (copied === content) return undefined;
    if (end > copied) parts.push({ offset: copied, length: end - copied });
    return parts;
  }

  *outermost(graph: Field): Scan<GraphPart[] | undefined> {
    const parts = yield* this.message(graph, (field) => {
      if (field.number === GRAPH.initializer) return this.#tensor(field, 'initializer');
      return field.number === GRAPH.node ? this.#node(field, 0) : nothing();
    });
    const moved = [...this.#moved.values()];
    this.#moved.clear();
    return parts && [...parts, ...moved];
  }

  *#inner(graph: Field, depth: number): Scan<GraphPart[] | undefined> {
    if (depth > MAX_DEPTH) {
      throw new LimitError(`${WHAT}: its graphs are nested too deeply`, {
        offset: graph.start,
        expected: `at most ${MAX_DEPTH} levels`,
      });
    }
    const inputs = yield* this.#inputsOf(graph);
    const aliases: GraphPart[] = [];
    const parts = yield* this.message(graph, (field) => {
      if (field.number === GRAPH.initializer) return this.#innerInitializer(field, inputs, aliases);
      return field.number === GRAPH.node ? this.#node(field, depth) : nothing();
    });
    // Before the nodes that use them.
    return parts && [...aliases, ...parts];
  }

  /** An initializer that is an input, too, is a default. */
  *#innerInitializer(
    field: Field,
    inputs: ReadonlySet<string>,
    aliases: GraphPart[],
  ): Scan<'removed' | undefined> {
    const found = yield* this.#scanTensor(field, 'initializer');
    if (found === undefined || inputs.has(found.ownName)) return undefined;
    aliases.push({ field: GRAPH.node, parts: identityNode(this.#move(found), found.ownName, '') });
    return 'removed';
  }

  *#node(node: Field, depth: number): Scan<readonly GraphPart[] | undefined> {
    const signature = yield* this.#signature(node);
    if (signature === undefined) return undefined;
    const isConstant = signature.opType === 'Constant';
    if (isConstant && depth > 0) return yield* this.#innerConstant(node, signature);
    return yield* this.message(node, (field) => {
      if (field.number !== NODE.attribute) return nothing();
      return this.message(field, (inner) => {
        const isGraph = inner.number === ATTRIBUTE.graph || inner.number === ATTRIBUTE.graphs;
        if (isGraph) return this.#inner(inner, depth + 1);
        // Other operators want their tensors where they are.
        return isConstant && inner.number === ATTRIBUTE.tensor
          ? this.#tensor(inner, signature.output)
          : nothing();
      });
    });
  }

  *#innerConstant(node: Field, { output, name }: Signature): Scan<readonly GraphPart[] | undefined> {
    let found: ScannedTensor | undefined;
    const window = this.#window;
    for (let at = node.content; at < node.end; ) {
      const attribute = yield* nextField(window, at, node.end);
      at = attribute.end;
      if (attribute.number !== NODE.attribute || attribute.type !== BYTES) continue;
      for (let inside = attribute.content; inside < attribute.end; ) {
        const field = yield* nextField(window, inside, attribute.end);
        inside = field.end;
        if (field.number !== ATTRIBUTE.tensor || field.type !== BYTES) continue;
        found = yield* this.#scanTensor(field, output);
      }
    }
    return found && identityNode(this.#move(found), output, name);
  }

  /** Undefined for a node without attributes. */
  *#signature({ content, end }: Field): Scan<Signature | undefined> {
    let [opType, output, name, hasAttributes] = ['', '', '', false];
    for (let at = content; at < end; ) {
      const field = yield* nextField(this.#window, at, end);
      at = field.end;
      if (field.number === NODE.opType) opType = yield* readText(this.#window, field);
      if (field.number === NODE.output && output === '') output = yield* readText(this.#window, field);
      if (field.number === NODE.name) name = yield* readText(this.#window, field);
      if (field.number === NODE.attribute) hasAttributes = true;
    }
    return hasAttributes ? { opType, output, name } : undefined;
  }

  *#inputsOf({ content, end }: Field): Scan<ReadonlySet<string>> {
    const names = new Set<string>();
    for (let at = content; at < end; ) {
      const value = yield* nextField(this.#window, at, end);
      at = value.end;
      if (value.number !== GRAPH.input || value.type !== BYTES) continue;
      for (let inside = value.content; inside < value.end; ) {
        const field = yield* nextField(this.#window, inside, value.end);
        inside = field.end;
        if (field.number === VALUE.name) names.add(yield* readText(this.#window, field));
      }
      checkLimit(this.#limits, 'tensors', names.size, `${WHAT}: a graph has too many inputs`);
    }
    return names;
  }

  /** A tensor that stays where it is, but for its elements. */
  *#tensor(field: Field, name: string): Scan<readonly GraphPart[] | undefined> {
    const found = yield* this.#scanTensor(field, name);
    return found && tensorParts(found, found.ownName, this.#add(found));
  }

  #scanTensor(field: Field, name: string): Scan<ScannedTensor | undefined> {
    return scanTensor(this.#window, field, { limits: this.#limits, least: this.#least, name });
  }

  /** Moves a tensor to the outermost graph; its name there. */
  #move(found: ScannedTensor): string {
    const tensor = this.#add(found);
    const name = `${MOVED}${tensor.name}`;
    const parts = tensorParts(found, name, tensor);
    if (!this.#moved.has(tensor)) this.#moved.set(tensor, { field: GRAPH.initializer, parts });
    return name;
  }

  #add({ tensor }: ScannedTensor): OnnxTensor {
    const { data, dtype, shape } = tensor;
    const place = data.kind === 'external' ? JSON.stringify([data, dtype, shape]) : undefined;
    const same = place === undefined ? undefined : this.#shared.get(place);
    if (same !== undefined) return same;
    const added = { ...tensor, name: this.#unique(tensor.name) };
    this.tensors.push(added);
    checkLimit(this.#limits, 'tensors', this.tensors.length, `${WHAT}: it has too many tensors`);
    if (place !== undefined) this.#shared.set(place, added);
    return added;
  }

  #unique(name: string): string {
    let number = this.#names.get(name) ?? 1;
    let unique = name;
    while (this.#names.has(unique)) {
      number += 1;
      unique = `${name}@${number}`;
    }
    this.#names.set(unique, 1);
    this.#names.set(name, number);
    return unique;
  }
}

// biome-ignore lint/correctness/useYield: a scan that needs nothing
function* nothing(): Scan<undefined> {
  return undefined;
}

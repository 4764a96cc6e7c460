import {
  FragmentDecoderStream,
  HctDecoderStream,
  HctReader,
  HoloTensorReader,
  type RandomAccessSource,
  ReconstructionStream,
  toFloat32,
  viewElements,
} from 'holostream';
import type { Measure } from '../protocol.js';
import { Gate } from './gate.js';
import type { Streamed, Watcher } from './streamed.js';

/** Least time between two states, in ms. */
const STATE_MS = 60;
/** What a tensor is called whose file has no name for it. */
const UNNAMED = 'tensor';

/** What the header of a file says. */
interface Facts {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly byteLength: number;
  readonly measure: Measure;
  readonly exact: boolean;
}

/** A HoloTensor file as its fragments come: after each of them, the stream has a better tensor. */
export async function streamedHoloTensor(source: RandomAccessSource): Promise<Streamed> {
  const { shape, header } = await HoloTensorReader.open(source);
  const measure: Measure =
    header.encoding === 'embedded' || header.norm !== undefined ? 'cosine' : 'predicted';
  const facts = {
    ...{ name: UNNAMED, shape, byteLength: header.originalSize, measure },
    exact: header.encoding === 'embedded',
  };
  return tensorOf(source, facts, async (gate, { signal, received, onFragments, onState }) => {
    const states = source
      .stream({ signal })
      .pipeThrough(new FragmentDecoderStream())
      // Each state is kept, to look back at.
      .pipeThrough(new ReconstructionStream({ reuseBuffer: false, emit: { everyMs: STATE_MS } }));
    for await (const { data, quality: known, complete } of gate.passed(states, signal)) {
      const quality = complete ? 1 : (known.cosine ?? known.predicted);
      const bytes = received();
      onFragments([{ tensor: UNNAMED, quality }]);
      onState({ tensors: new Map([[UNNAMED, { shape, data }]]), quality, bytes, complete }, 1);
    }
  });
}

/** An HCT file as its blocks come: each is exact, and the elements of those that have not come are 0. */
export async function streamedHct(source: RandomAccessSource): Promise<Streamed> {
  const { shape, header, name = UNNAMED, quantization: metadata, groupScales } = await HctReader.open(source);
  const { dtype, originalSize: byteLength } = header;
  const facts = { name, shape, byteLength, measure: 'elements', exact: true } as const;
  return tensorOf(source, facts, async (gate, { signal, received, onFragments, onState }) => {
    const elements = new Uint8Array(byteLength);
    const stored = { dtype, shape, data: viewElements(dtype, elements) };
    const options = metadata && { quantization: { metadata, groupScales } };
    let [length, shown] = [0, Number.NEGATIVE_INFINITY];
    for await (const block of gate.passed(
      source.stream({ signal }).pipeThrough(new HctDecoderStream()),
      signal,
    )) {
      elements.set(block, length);
      length += block.length;
      const complete = length === byteLength;
      if (!complete && performance.now() - shown < STATE_MS) continue;
      shown = performance.now();
      const [quality, bytes] = [length / byteLength, received()];
      onFragments([{ tensor: name, quality }]);
      // Into new memory: the elements change.
      const data = toFloat32(stored, { ...options, out: new Float32Array(elementsOf(shape)) });
      onState({ tensors: new Map([[name, { shape, data }]]), quality, bytes, complete }, 1);
    }
  });
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function tensorOf(
  source: RandomAccessSource,
  { name, shape, byteLength, measure, exact }: Facts,
  stream: (gate: Gate, watcher: Watcher) => Promise<void>,
): Streamed {
  const gate = new Gate();
  return {
    ...{ fileSize: source.size ?? 0, weightBytes: byteLength, measure, exact },
    tensors: [{ name, shape, byteLength }],
    async run(watcher) {
      watcher.onBegun();
      await stream(gate, watcher);
    },
    pause: () => gate.close(),
    resume: () => gate.open(),
    [Symbol.asyncDispose]: async () => source.close?.(),
  };
}

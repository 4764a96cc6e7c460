import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { checkZstdFrame } from '../../../src/codecs/zstdFrame.js';
import { CodecError } from '../../../src/errors.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { inflateModule } from '../../../src/kernels/runtime/module.js';
import { portableZstd } from '../../../src/kernels/zstd/portable.js';
import { ZSTD_WASM } from '../../../src/kernels/zstd/wasm/zstd.generated.js';
import { ZSTD_CONSTANTS, ZSTD_WORK, type ZstdExports } from '../../../src/kernels/zstd/wasm.js';
import { throws } from '../../helpers/assertions.js';
import { blockArbitrary, blockData } from '../../helpers/blockData.js';
import { withCanaries } from '../../helpers/canaries.js';
import { zstdOracles } from '../../helpers/libzstd.js';
import { Outcomes } from '../../helpers/outcomes.js';
import { randomFrom } from '../../helpers/random.js';
import { runsOf } from '../../helpers/runs.js';
import { randomZstdFrame } from '../../helpers/zstdWriter.js';

const { zstdDecompressInto } = portableZstd;
const wasm = await loadKernels(['zstd'], { implementation: 'wasm' });

const { slack: SLACK } = ZSTD_WORK;
const WORK = 1024;
const OUT = WORK + ZSTD_WORK.bytes + SLACK;
const MEMORY = 10 * 65536;
const CANARY = 0xa5;
const MAX_BLOCK = 2 ** 17;

const [libzstd] = await zstdOracles();
const encoder = await loadCodec('zstd', { implementation: 'wasm' });
const memory = new WebAssembly.Memory({ initial: 10, maximum: 10 });
const module = await WebAssembly.compile(await inflateModule(ZSTD_WASM));
const { decode } = (await WebAssembly.instantiate(module, { env: { memory } })).exports as {
  readonly decode: ZstdExports['decode'];
};
const bytes = new Uint8Array(memory.buffer);
const canaries = Buffer.alloc(MEMORY, CANARY);

/** The wasm kernel between canaries; the blocks end, slack included, with the memory, so that reading on traps. */
function wasmDecodes(blocks: Uint8Array, out: Uint8Array): boolean {
  const start = MEMORY - SLACK - blocks.length;
  bytes.fill(CANARY);
  bytes.set(ZSTD_CONSTANTS, WORK + ZSTD_WORK.constants);
  bytes.set(blocks, start);
  const verdict = decode(start, blocks.length, OUT, out.length, WORK, MAX_BLOCK) === out.length;
  const untouched = (from: number, to: number) =>
    canaries.subarray(from, to).equals(bytes.subarray(from, to));
  assert.ok(untouched(0, WORK), 'wrote before its work memory');
  assert.ok(untouched(WORK + ZSTD_WORK.bytes, OUT), 'wrote before its output');
  assert.ok(untouched(OUT + out.length + SLACK, start), 'wrote behind its output');
  assert.ok(Buffer.from(blocks).equals(bytes.subarray(start, MEMORY - SLACK)), 'wrote into the blocks');
  if (verdict) out.set(bytes.subarray(OUT, OUT + out.length));
  return verdict;
}

function portableDecodes(frame: Uint8Array, start: number, out: Uint8Array): boolean {
  try {
    let length = 0;
    withCanaries(out.length, (guarded) => {
      length = zstdDecompressInto(frame, start, guarded, MAX_BLOCK);
      out.set(guarded);
    });
    return length === out.length;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

/** Both implementations; they must agree. Undefined when they refuse. */
function decoded(frame: Uint8Array, start: number, length: number): Uint8Array | undefined {
  const [portable, wasm] = [new Uint8Array(length), new Uint8Array(length)];
  const verdict = portableDecodes(frame, start, portable);
  assert.is(wasmDecodes(frame.subarray(start), wasm), verdict);
  if (!verdict) return undefined;
  assert.ok(Buffer.from(portable).equals(wasm), 'implementations differ');
  return portable;
}

const levels = fc.constantFrom(1, 3, 7, 12, 19);

test('decodes what libzstd writes at every level', () => {
  fc.assert(
    fc.property(blockArbitrary(60_000), levels, (data, level) => {
      const frame = encoder.compress(data, { level });
      assert.equal(decoded(frame, checkZstdFrame(frame, data.length).blocksStart, data.length), data);
    }),
    { numRuns: 150 },
  );
});

test('decodes frames of several blocks, which repeat tables of one another', () => {
  for (const kind of ['text', 'narrow', 'bf16', 'sparse'] as const) {
    for (const level of [1, 3, 19]) {
      const data = blockData(kind, 300_000, level);
      const frame = encoder.compress(data, { level });
      const out = new Uint8Array(data.length);
      zstdDecompressInto(frame, checkZstdFrame(frame, data.length).blocksStart, out, MAX_BLOCK);
      assert.ok(Buffer.from(out).equals(data), `${kind}, level ${level}`);
    }
  }
});

test('on mutated blocks both say the same, and accept nothing that libzstd refuses or decodes differently', () => {
  const seen = new Outcomes();
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(blockArbitrary(2000), levels, edits, (data, level, places) => {
      const frame = encoder.compress(data, { level });
      const { blocksStart } = checkZstdFrame(frame, data.length);
      for (const [place, value] of places) {
        frame[blocksStart + (place % (frame.length - blocksStart))] = value;
      }
      const ours = decoded(frame, blocksStart, data.length);
      if (ours !== undefined) assert.equal(libzstd.decode(frame), ours);
      seen.add(ours !== undefined);
    }),
    { numRuns: runsOf(1500) },
  );
  seen.assertBoth(0.25);
});

test('the same for mutations of frames that no encoder writes', () => {
  const random = randomFrom(3);
  const seen = new Outcomes();
  for (let i = 0; i < 1500; i++) {
    const { frame, content } = randomZstdFrame(random);
    const { blocksStart } = checkZstdFrame(frame, content.length);
    for (let edits = 1 + Math.floor(2 * random()); edits > 0; edits--) {
      frame[blocksStart + Math.floor(random() * (frame.length - blocksStart))] = Math.floor(256 * random());
    }
    const ours = decoded(frame, blocksStart, content.length);
    if (ours !== undefined) assert.equal(libzstd.decode(frame), ours, Buffer.from(frame).toString('hex'));
    seen.add(ours !== undefined);
  }
  seen.assertBoth(0.15);
});

test('noise in place of blocks is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(3000), (noise, length) => {
      // A compressed block that is the last, of the right size, whose sections are noise.
      const header = (noise.length << 3) | 5;
      const blocks = Uint8Array.from([header & 255, header >> 8, 0, ...noise]);
      decoded(blocks, 0, length);
    }),
    { numRuns: runsOf(1500) },
  );
});

test('refuses every truncation, and every output that is too short or too long', () => {
  for (const kind of ['text', 'narrow', 'bf16'] as const) {
    const data = blockData(kind, 700);
    const frame = encoder.compress(data);
    const { blocksStart } = checkZstdFrame(frame, data.length);
    for (let end = blocksStart; end < frame.length; end++) {
      assert.is(
        decoded(frame.subarray(0, end), blocksStart, data.length),
        undefined,
        `${kind} cut at ${end}`,
      );
    }
    for (const length of [0, 1, 699, 701, 1400, 200_000]) {
      assert.is(decoded(frame, blocksStart, length), undefined, `${kind} into ${length}`);
    }
  }
});

test('names what is wrong and where', () => {
  const cases: [string, number[], RegExp, number][] = [
    ['reserved type', [7, 0, 0], /type or size is invalid/, 0],
    ['cut', [0x25, 0, 0, 1], /it is truncated/, 0],
    [
      'repeated Huffman table',
      [0x35, 0, 0, 0x43, 0x40, 0, 1, 1, 0],
      /no block before it has a Huffman table/,
      3,
    ],
    ['repeated sequence table', [0x25, 0, 0, 0x00, 1, 0xfc, 1], /no block before it has this table/, 6],
    ['reserved bits', [0x25, 0, 0, 0x00, 1, 0x03, 1], /reserved bits of its sequences are set/, 5],
    ['code out of range', [0x2d, 0, 0, 0x00, 1, 0x54, 36, 1], /a sequence has an unknown code/, 6],
    ['match before the start', [0x3d, 0, 0, 0x00, 1, 0x54, 0, 1, 0, 2], /a match begins before the start/, 9],
  ];
  for (const [name, blocks, pattern, offset] of cases) {
    const out = new Uint8Array(10);
    const frame = Uint8Array.from(blocks);
    const error = throws(() => zstdDecompressInto(frame, 0, out, MAX_BLOCK), CodecError, pattern);
    assert.is(error.offset, offset, name);
    assert.not(wasmDecodes(frame, out), name);
  }
});

test('the wasm kernel names the block at fault, and which part of it', () => {
  const raw = [4 << 3, 0, 0, 1, 2, 3, 4];
  const cases: [number[], RegExp, number][] = [
    [[7, 0, 0], /its header is invalid/, 0],
    [[...raw, 0x25, 0, 0, 1], /its header is invalid/, 7],
    [[...raw, 0x35, 0, 0, 0x43, 0x40, 0, 1, 1, 0], /its literals are invalid/, 7],
    [[...raw, ...raw, 0x25, 0, 0, 0x00, 1, 0x03, 1], /its sequences are invalid/, 14],
    [[...raw, (4 << 3) | 1, 0, 0, 1, 2, 3, 4, 5], /the last one ends in the wrong place/, 7],
  ];
  for (const [blocks, pattern, offset] of cases) {
    const frame = Uint8Array.from([9, 9, ...blocks]);
    const error = throws(
      () => wasm.zstdDecompressInto(frame, 2, new Uint8Array(10), MAX_BLOCK),
      CodecError,
      pattern,
    );
    assert.is(error.offset, 2 + offset, `${blocks}`);
  }
});

test.run();

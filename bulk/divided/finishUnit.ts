import { resolvedOptions } from '../../models/file/encodeTensor.js';
import { encodedShape, packFirstPiece } from '../../models/file/firstPiece.js';
import { formatHash } from '../../models/file/plan.js';
import type { LocatedTensor } from '../../models/file/sourceFiles.js';
import { CUTS_VERSION } from '../../models/file/stageTensors.js';
import { concatenate } from '../../src/bytes/binary.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { cutsUnits, type EncodeGroups } from '../../src/encodings/embedded/cutUnits.js';
import { factsOf, targetsOf } from '../../src/encodings/embedded/embedded.js';
import { groupsEncoder, tilesOf } from '../../src/encodings/embedded/encoder.js';
import { layOutFragments } from '../../src/encodings/embedded/fragmentLayout.js';
import type { TensorPlan } from '../../src/encodings/embedded/plan.js';
import { factsOfTiles } from '../../src/encodings/embedded/tileRange.js';
import { encodedHeader } from '../../src/holotensor/encoder.js';
import {
  compressFragment,
  isCompressible,
  type PackedFragment,
  packFront,
  samplesOf,
} from '../../src/holotensor/pack.js';
import { embeddedEncodeKernels } from '../../src/kernels/embedded/encodeKernels.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { Xxh3Stream } from '../../src/kernels/xxh3/stream.js';
import { DTYPES } from '../../src/tensor/dtype.js';
import { type UnitNote, type Window, writeNote } from '../notes.js';
import type { UnitContext } from '../unitContext.js';
import type { TileRangeOfUnit, Unit } from '../units.js';
import { OwnObjects, WINDOW_BYTES } from './ownObjects.js';
import { type Payload, PayloadReader, payloadsOf } from './payloads.js';
import type { StoredPlan } from './planNote.js';
import { bitsOf } from './planUnit.js';
import { openRanges } from './rangeFile.js';

/**
 * Lays out a tensor that is divided, once all of its ranges are encoded: its fragments are bytes of these. Only what is before
 * them, and fragments that are compressed, are written. Memory: what is known of all tiles, runs of units of some ranges, and a
 * fragment that is compressed, before and after; of a tensor whose units are cut, which has few tiles, the tensor.
 * @param keys of the objects of the ranges
 */
export async function finishUnit(
  { opened, storage, tools, options }: UnitContext,
  unit: Unit,
  ranges: readonly TileRangeOfUnit[],
  { plan, id }: StoredPlan,
  keys: readonly string[],
  { signal }: AbortOptions,
): Promise<UnitNote> {
  const { dtype, shape, byteLength } = unit.tensors[0]!;
  const { kernels, codec } = tools;
  const how = resolvedOptions(options.encode ?? {}, byteLength);
  const facts = JSON.stringify([CUTS_VERSION, id, dtype, shape, how, keys]);
  const stored = await openRanges(storage, keys, ranges, plan, kernels, { signal });
  const layout = layOutFragments(
    plan,
    stored.flatMap((range) => factsOfTiles(range, plan)),
    { fragments: how.fragments ?? 1, qualities: targetsOf({ qualities: how.qualities }) },
    cutsUnits(plan) ? await encoderOf(unit.tensors[0]!, plan, kernels, { signal }) : undefined,
  );
  const header = encodedHeader(
    {
      encoding: 'embedded',
      seed: 0n,
      tensor: {
        dtype: DTYPES.find((known) => known === dtype)!,
        shape: encodedShape(shape),
      },
    },
    factsOf(plan, layout),
  );
  const own = new OwnObjects(storage, facts, keys.length, kernels, { signal });
  const entries: PackedFragment[] = [];
  const windows: Window[][] = [];
  const reader = new PayloadReader(storage, stored, layout, plan, kernels, { signal });
  try {
    for (const [index, payload] of payloadsOf(plan, layout, stored).entries()) {
      const { head, size, tail } = payload;
      const sample = concatenate(
        await Promise.all(samplesOf(size).map(({ start, end }) => reader.sample(payload, start, end))),
      );
      if (sample.length === 0 || isCompressible(sample, codec)) {
        const { flags, stored: packed } = compressFragment(await wholeOf(payload, reader), { codec });
        const sizes = { compressedSize: packed.length, uncompressedSize: size };
        entries.push({ index, flags, ...sizes, checksum: kernels.xxh3(packed) });
        windows.push(await own.add(packed));
        continue;
      }
      const hash = new Xxh3Stream();
      hash.update(head);
      const ownWindows = await own.add(head);
      for await (const { bytes, object, offset } of reader.read(payload)) {
        hash.update(bytes);
        for (let at = 0; at < bytes.length; at += WINDOW_BYTES) {
          const part = bytes.subarray(at, at + WINDOW_BYTES);
          ownWindows.push({
            object,
            offset: offset + at,
            size: part.length,
            hash: formatHash(kernels.xxh3(part)),
          });
        }
      }
      hash.update(tail);
      // Not as arguments of push: there may be many.
      for (const window of await own.add(tail)) ownWindows.push(window);
      entries.push({
        index,
        flags: 0,
        compressedSize: size,
        uncompressedSize: size,
        checksum: hash.digest(),
      });
      windows.push(ownWindows);
    }
  } finally {
    await reader.close();
  }
  const sizes = entries.map(({ compressedSize }) => compressedSize);
  const first = { dtype, shape, byteLength, sizes };
  const front = packFirstPiece(packFront(header, entries, codec), first, kernels);
  const frontWindows = await own.add(front);
  const [key, ...others] = await own.finish();
  const note: UnitNote = {
    key,
    tensors: [
      {
        hash: formatHash(kernels.xxh3(front)),
        divided: {
          cosines: layout.fragments.map(({ cosine }) => cosine),
          sizes: [front.length, ...sizes],
          objects: [key!, ...keys, ...others],
          windows: [frontWindows, ...windows],
        },
      },
    ],
  };
  await writeNote(storage, opened.id, unit, note, { signal });
  return note;
}

async function encoderOf(
  tensor: LocatedTensor,
  plan: TensorPlan,
  kernels: Kernels,
  { signal }: AbortOptions,
): Promise<EncodeGroups> {
  const { source, offset, byteLength } = tensor;
  const { patterns, layout } = bitsOf(tensor, await source.read(offset, byteLength, { signal }));
  return groupsEncoder(plan, layout, embeddedEncodeKernels(kernels), tilesOf(patterns, plan));
}

/** In one array: pieces of it would keep the runs in memory that they are parts of. */
async function wholeOf(payload: Payload, reader: PayloadReader): Promise<Uint8Array> {
  const whole = new Uint8Array(payload.size);
  whole.set(payload.head);
  let at = payload.head.length;
  for await (const { bytes } of reader.read(payload)) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  whole.set(payload.tail, at);
  return whole;
}

/**
 * HCT's stages, each as a stream and as an RxJS operator. Only `stageOperator` imports RxJS, so a bundle that uses
 * no operator drops it.
 */

import type { OperatorFunction } from 'rxjs';
import type { BytesLike } from '../src/bytes/binary.js';
import { LIMIT_RULES, type LimitsOption } from '../src/checks/limits.js';
import { checkOptions } from '../src/checks/options.js';
import { HctDecompressor, HctVerifier } from '../src/hct/blockStages.js';
import { type HctEncodeOptions, HctStreamEncoder } from '../src/hct/encoder.js';
import { HctParser } from '../src/hct/parser.js';
import type { HctDecodedPart, HctPart } from '../src/hct/parts.js';
import type { HctTensor } from '../src/hct/tensorCollector.js';
import { IMPLEMENTATION_RULES, type ImplementationOptions } from '../src/hct/tools.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import type { StageFactory } from '../src/stage.js';
import { type HctBytesOptions, type HctTensorOptions, hctBytesStage, hctTensorStage } from './hctStages.js';
import { stageOperator } from './stageOperator.js';
import { ByteStageStream, StageStream } from './stageStream.js';

/**
 * The bytes of an HCT file in, the bytes of its tensor out, verified, a block at a time. All stages in one, without
 * queues between them.
 *
 * @example
 * const { body } = await fetch('https://example.org/model/fc1.weight.hct');
 * for await (const bytes of body!.pipeThrough(new HctDecoderStream())) console.log(bytes.length);
 */
export class HctDecoderStream extends ByteStageStream<BytesLike> {
  constructor(options?: HctBytesOptions) {
    super(hctBytesStage(options));
  }
}

/** The same as {@link HctDecoderStream} as an RxJS operator. */
export function decodeHct(options?: HctBytesOptions): OperatorFunction<BytesLike, Uint8Array> {
  return stageOperator(hctBytesStage(options));
}

/** The bytes of an HCT file in; when all have come, its tensor out: `{ dtype, shape, data }`. */
export class HctCollectorStream extends StageStream<BytesLike, HctTensor> {
  constructor(options?: HctTensorOptions) {
    super(hctTensorStage(options));
  }
}

/**
 * The bytes of an HCT file in; when all have come, its tensor out: `{ dtype, shape, data }`.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response)
 *   .pipe(collectHct())
 *   .subscribe(({ shape, data }) => console.log(shape, data.length));
 */
export function collectHct(options?: HctTensorOptions): OperatorFunction<BytesLike, HctTensor> {
  return stageOperator(hctTensorStage(options));
}

/**
 * The bytes of a tensor in, the bytes of an HCT file out. The index comes first in the file, so nothing comes out
 * before all bytes have gone in, and the compressed blocks wait in memory. `HctWriter` writes to a file without that.
 */
export class HctEncoderStream extends ByteStageStream<BytesLike> {
  constructor(options: HctEncodeOptions) {
    super(HctStreamEncoder.factory(options));
  }
}

/** The same as {@link HctEncoderStream} as an RxJS operator. */
export function encodeHct(options: HctEncodeOptions): OperatorFunction<BytesLike, Uint8Array> {
  return stageOperator(HctStreamEncoder.factory(options));
}

/** The bytes of an HCT file in; its header, compressed blocks and end out. */
export class HctParserStream extends StageStream<BytesLike, HctPart> {
  constructor(options?: LimitsOption) {
    super(parser(options));
  }
}

/**
 * The bytes of an HCT file in; its header, compressed blocks and end out.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response).pipe(parseHct()).subscribe((part) => console.log(part.kind));
 */
export function parseHct(options?: LimitsOption): OperatorFunction<BytesLike, HctPart> {
  return stageOperator(parser(options));
}

function parser(options: LimitsOption = {}): StageFactory<BytesLike, HctPart> {
  checkOptions(options, LIMIT_RULES);
  return () => new HctParser(options);
}

/** Passes the parts on; fails with a ChecksumError at the first block that differs from its checksum. */
export class HctVerificationStream extends StageStream<HctPart, HctPart> {
  constructor() {
    super(async () => new HctVerifier(await loadKernels(['xxh3'])));
  }
}

/**
 * Passes the parts on; fails with a ChecksumError at the first block that differs from its checksum.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response)
 *   .pipe(parseHct(), verifyHct(), decompressHct())
 *   .subscribe((part) => console.log(part.kind));
 */
export function verifyHct(): OperatorFunction<HctPart, HctPart> {
  return stageOperator(async () => new HctVerifier(await loadKernels(['xxh3'])));
}

/** Parts with compressed blocks in, parts with their bytes out; each block's bytes are an array of their own. */
export class HctDecompressionStream extends StageStream<HctPart, HctDecodedPart> {
  constructor(options?: ImplementationOptions) {
    super(decompressor(options));
  }
}

/**
 * Parts with compressed blocks in, parts with their bytes out; each block's bytes are an array of their own.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response)
 *   .pipe(parseHct(), decompressHct())
 *   .subscribe((part) => {
 *     if (part.kind === 'data') console.log(part.byteOffset, part.bytes.length);
 *   });
 */
export function decompressHct(options?: ImplementationOptions): OperatorFunction<HctPart, HctDecodedPart> {
  return stageOperator(decompressor(options));
}

function decompressor(options: ImplementationOptions = {}): StageFactory<HctPart, HctDecodedPart> {
  checkOptions(options, IMPLEMENTATION_RULES);
  return () => new HctDecompressor(options);
}

/** Finding speech in sound, by Silero VAD (`@ricky0123/vad-web`), of the sentences in `speech.wav`. */
import { readFileSync } from 'node:fs';
import type { Weights } from '../../test/helpers/tasks/task.js';
import type { MeasuredTask } from './measuredTask.js';
import { onnxTensors, safetensorsOf } from './onnx.js';
import { loadOrt, packageFile, withSession } from './onnxRuntime.js';

export const SPEECH = new URL('speech.wav', import.meta.url);
/** Samples a second. */
export const RATE = 16000;
const WAV_HEADER = 44;

/** The network hears 32 ms at a time, after the last 4 ms of those before. */
const FRAME = 512;
const CONTEXT = 64;
const STATE = [2, 1, 128] as const;
const TOLERANCE = 0.05;

/** The part of the frames whose probability of speech is near that of the whole network. */
export function speechTask(): MeasuredTask {
  const model = packageFile('@ricky0123/vad-web/dist/silero_vad_v5.onnx');
  const tensors = onnxTensors(model);
  const samples = readSamples();
  let reference: readonly number[] | undefined;
  return {
    name: 'Silero VAD',
    bound: 'probability of speech within 0.05 of the whole model in 95 % of the frames',
    tensors,
    source: safetensorsOf(tensors),
    async evaluate(weights) {
      const probabilities = await listen(model, weights, samples);
      reference ??= probabilities;
      const near = reference.filter((one, i) => Math.abs(probabilities[i]! - one) <= TOLERANCE);
      return near.length / reference.length;
    },
    limit: () => 0.95,
    better: 'more',
    most: 12,
  };
}

function readSamples(): Float32Array {
  const wav = readFileSync(SPEECH);
  const count = (wav.length - WAV_HEADER) >> 1;
  return Float32Array.from({ length: count }, (_, i) => wav.readInt16LE(WAV_HEADER + 2 * i) / 32768);
}

function listen(model: Uint8Array, weights: Weights, samples: Float32Array): Promise<number[]> {
  const { Tensor } = loadOrt();
  return withSession(model, weights, async (session) => {
    const sr = new Tensor('int64', BigInt64Array.of(BigInt(RATE)), []);
    let state = new Tensor('float32', new Float32Array(2 * 128), STATE);
    const probabilities: number[] = [];
    for (let start = CONTEXT; start + FRAME <= samples.length; start += FRAME) {
      const heard = samples.slice(start - CONTEXT, start + FRAME);
      const input = new Tensor('float32', heard, [1, heard.length]);
      const output = await session.run({ input, state, sr });
      state = output.stateN!;
      probabilities.push(output.output!.data[0]!);
    }
    return probabilities;
  });
}

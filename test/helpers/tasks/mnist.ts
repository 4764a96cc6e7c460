import { dense, evaluationData, indexOfLargest, relu, type Task, tensorsOf, type Weights } from './task.js';

const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** Part of the images of handwritten digits that are named right: x/255 → fc1 → ReLU → fc2. Whole weights: 0.983. */
export function mnistTask(images = 1000): Task {
  return {
    name: 'mnist-mlp-ggml',
    tensors: tensorsOf('mnist-mlp-ggml'),
    evaluate: partRight(
      images,
      (pixel) => pixel / 255,
      (image, weights) => {
        const hidden = relu(dense(image, weights.get('fc1.weight')!, weights.get('fc1.bias')!));
        return dense(hidden, weights.get('fc2.weight')!, weights.get('fc2.bias')!);
      },
    ),
  };
}

/** Channels of its three convolutions of 3 × 3, without padding. */
const CHANNELS = [1, 8, 16, 24] as const;
const KERNEL = 3;
const EPSILON = 1e-5;

/**
 * The same by convolutions: (x/255 − 0.1307)/0.3081 → three convolutions with ReLU → batch norm → fc1 → ReLU → fc2 → batch
 * norm. Whole weights: 0.990.
 */
export function mnistCnnTask(images = 1000): Task {
  return {
    name: 'mnist-cnn-burn',
    tensors: tensorsOf('mnist-cnn-burn'),
    evaluate: partRight(
      images,
      (pixel) => (pixel / 255 - 0.1307) / 0.3081,
      (image, weights) => {
        let x = image;
        let side = SIDE;
        for (const layer of [1, 2, 3] as const) {
          const kernel = weights.get(`conv${layer}.weight`)!;
          x = relu(convolve(x, side, CHANNELS[layer - 1]!, kernel, weights.get(`conv${layer}.bias`)!));
          side -= KERNEL - 1;
        }
        const hidden = dense(
          batchNorm(x, weights, 'norm1'),
          weights.get('fc1.weight')!,
          weights.get('fc1.bias')!,
        );
        const scores = dense(relu(hidden), weights.get('fc2.weight')!, weights.get('fc2.bias')!);
        return batchNorm(scores, weights, 'norm2');
      },
    ),
  };
}

/** Evaluates the first images with a network that gives a score for each digit. */
function partRight(
  count: number,
  scale: (pixel: number) => number,
  scores: (image: Float32Array, weights: Weights) => Float32Array,
): (weights: Weights) => number {
  const data = evaluationData('eval-mnist-t10k-1000');
  const images = Float32Array.from(data.get('images')!.subarray(0, PIXELS * count), scale);
  const labels = data.get('labels')!.subarray(0, count);
  return (weights) => {
    const right = labels.reduce((sum, label, i) => {
      const image = images.subarray(PIXELS * i, PIXELS * (i + 1));
      return sum + (indexOfLargest(scores(image, weights)) === label ? 1 : 0);
    }, 0);
    return right / labels.length;
  };
}

/** `kernel` is [outputs, inputs, 3, 3]; images are squares, one channel behind the other. */
function convolve(
  x: Float32Array,
  side: number,
  inputs: number,
  kernel: Float32Array,
  bias: Float32Array,
): Float32Array {
  const outSide = side - KERNEL + 1;
  const out = new Float32Array(bias.length * outSide * outSide);
  for (let o = 0; o < bias.length; o++) {
    const plane = out.subarray(o * outSide * outSide, (o + 1) * outSide * outSide).fill(bias[o]!);
    for (let tap = 0; tap < inputs * KERNEL * KERNEL; tap++) {
      const scale = kernel[o * inputs * KERNEL * KERNEL + tap]!;
      const [row, column] = [Math.floor(tap / KERNEL) % KERNEL, tap % KERNEL];
      const start = Math.floor(tap / (KERNEL * KERNEL)) * side * side + row * side + column;
      for (let y = 0, at = 0; y < outSide; y++) {
        for (let from = start + y * side; from < start + y * side + outSide; from++, at++) {
          plane[at] = plane[at]! + scale * x[from]!;
        }
      }
    }
  }
  return out;
}

/** Each channel scaled and moved to what was learned; the channels are one behind the other. */
function batchNorm(x: Float32Array, weights: Weights, name: string): Float32Array {
  const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    (part) => weights.get(`${name}.${part}`)!,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const perChannel = x.length / scale.length;
  return x.map((value, i) => {
    const c = Math.floor(i / perChannel);
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + EPSILON)) * scale[c]! + shift[c]!;
  });
}

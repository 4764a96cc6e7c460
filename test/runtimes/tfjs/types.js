/** For the compiler only: the adapter takes the package. */
import * as tf from '@tensorflow/tfjs';
import { openModel } from 'holostream';
import { ioHandler, loadWeights } from 'holostream/tfjs';

export async function check() {
  const model = await openModel('model.holo.safetensors');
  const handler = ioHandler(model, { modelJson: 'model.json' });
  for (const network of [await tf.loadLayersModel(handler), await tf.loadGraphModel(handler)]) {
    for await (const { quality } of loadWeights(model, { tf, network })) console.log(quality.toFixed(2));
  }
}

/** The same in browsers and in Node: networks that name digits while their weights load. */
import { openModel } from 'holostream';
import { ioHandler, loadWeights } from 'holostream/tfjs';

/** A network of layers, with names as in the model: its weights get better. */
export async function improveLayers(tf, { modelFile, images, labels }) {
  const network = tf.sequential({
    layers: [
      tf.layers.dense({ name: 'fc1', inputShape: [784], units: 192, activation: 'relu' }),
      tf.layers.dense({ name: 'fc2', units: 10 }),
    ],
  });
  const model = await openModel(modelFile);
  const steps = [];
  for await (const { quality } of loadWeights(model, { tf, network })) {
    steps.push({ quality, right: await rightOf(tf, network, images, labels) });
  }
  await model.close();
  network.dispose();
  return steps;
}

/** Networks from a `model.json`: loaded at a quality, and then better. */
export async function improveLoaded(tf, load, { modelFile, modelJson, images, labels }) {
  const model = await openModel(modelFile);
  const network = await load(ioHandler(model, { modelJson, quality: 0.9 }));
  const steps = [{ quality: model.quality, right: await rightOf(tf, network, images, labels) }];
  for await (const { quality } of loadWeights(model, { tf, network })) {
    steps.push({ quality, right: await rightOf(tf, network, images, labels) });
  }
  await model.close();
  network.dispose();
  return steps;
}

/** Part of the images that are named right. */
async function rightOf(tf, network, images, labels) {
  const names = tf.tidy(() => network.predict(tf.tensor(images, [labels.length, 784])).argMax(1));
  const found = await names.data();
  names.dispose();
  return labels.filter((label, i) => label === found[i]).length / labels.length;
}

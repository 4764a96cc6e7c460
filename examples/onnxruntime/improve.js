/** The same in browsers and in Node: a network that names digits while its weights load. */
import { openModel } from 'holostream';
import { loadFeeds, loadSessions } from 'holostream/onnxruntime';

/** Its weights are inputs of the graph: one session, whose inputs get better. */
export async function improveFeeds(ort, { modelFile, graph, images, labels, sessionOptions = {}, device }) {
  const model = await openModel(modelFile);
  const session = await ort.InferenceSession.create(graph, sessionOptions);
  const input = new ort.Tensor('float32', images, [labels.length, 784]);
  const steps = [];
  for await (const { feeds, quality } of loadFeeds(model, { ort, session, device: await device?.() })) {
    const { scores } = await session.run({ ...feeds, images: input });
    steps.push({ quality, right: rightOf(scores.data, labels) });
  }
  await session.release();
  await model.close();
  return steps;
}

/** Its weights are external data: a session for each step. */
export async function improveSessions(ort, { modelFile, graph, images, labels, sessionOptions }) {
  const model = await openModel(modelFile);
  const input = new ort.Tensor('float32', images, [labels.length, 784]);
  const steps = [];
  let last;
  for await (const { session, quality } of loadSessions(model, { ort, graph, sessionOptions })) {
    const { scores } = await session.run({ images: input });
    steps.push({ quality, right: rightOf(scores.data, labels) });
    last = session;
  }
  await last.release();
  await model.close();
  return steps;
}

/** Part of the images that are named right. */
function rightOf(scores, labels) {
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = scores.subarray(10 * i, 10 * (i + 1));
    if (row.indexOf(Math.max(...row)) === label) right += 1;
  }
  return right / labels.length;
}

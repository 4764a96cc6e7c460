/** For the compiler only: the adapter takes the packages, and gives their types. */
import { openModel } from 'holostream';
import { loadFeeds, loadSessions } from 'holostream/onnxruntime';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';

export async function inNode() {
  const model = await openModel('model.holo.safetensors');
  const session = await node.InferenceSession.create('model.onnx');
  for await (const { feeds } of loadFeeds(model, { ort: node, session })) {
    /** @type {node.Tensor | undefined} */
    const weight = feeds.weight;
    const outputs = await session.run(feeds);
    return [weight, outputs.scores];
  }
  return undefined;
}

export async function inPages() {
  const model = await openModel('model.holo.safetensors');
  const session = await web.InferenceSession.create('model.onnx');
  const device = await web.env.webgpu.device;
  for await (const { feeds } of loadFeeds(model, { ort: web, session, device })) await session.run(feeds);
  const sessionOptions = { executionProviders: ['wasm'], logId: 'x' };
  for await (const one of loadSessions(model, { ort: web, graph: 'model.onnx', sessionOptions })) {
    /** @type {web.InferenceSession} */
    const made = one.session;
    await made.run({});
  }
  // @ts-expect-error: no option of a session
  loadSessions(model, { ort: web, graph: 'model.onnx', sessionOptions: { logId: 1 } });
}

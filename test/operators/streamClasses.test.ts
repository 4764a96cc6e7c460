import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCode } from '../helpers/runCode.js';

/** What a fresh process prints that runs this code in an engine without stream classes. */
function withoutStreams(code: string): Promise<unknown> {
  return runCode(`
    for (const name of ['ReadableStream', 'WritableStream', 'TransformStream']) delete globalThis[name];
    ${code}
  `);
}

test('an engine without stream classes imports everything, and is told so when it makes a stream', async () => {
  const seen = await withoutStreams(`
    const { HctDecoderStream, ReconstructionStream } = await import('./index.ts');
    const { TensorSink } = await import('./sinks/index.ts');
    const messages = [HctDecoderStream, ReconstructionStream, TensorSink].map((Stream) => {
      try {
        new Stream();
      } catch (error) {
        return [error.name, error.message];
      }
    });
    console.log(JSON.stringify(messages));
  `);
  const missing = (name: string) => [
    'UnsupportedError',
    `Cannot make a stream: this engine has no ${name}; import "holostream/polyfill" before holostream`,
  ];
  assert.equal(seen, [missing('TransformStream'), missing('TransformStream'), missing('WritableStream')]);
});

test.run();

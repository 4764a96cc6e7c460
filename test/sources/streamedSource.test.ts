import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChunkReader } from '../../sources/chunkReader.js';
import { StreamedSource } from '../../sources/streamedSource.js';
import { rejects } from '../helpers/assertions.js';
import { tick } from '../helpers/streams.js';

const test = suite('sources: streamed');

/** A source whose opening takes until `opened` is called, and which counts what happens to its reader. */
class SlowSource extends StreamedSource {
  readonly size = 10;
  readonly calls: string[] = [];
  opened!: () => void;
  signal: AbortSignal | undefined;

  protected async open(_range: unknown, signal: AbortSignal): Promise<ChunkReader> {
    this.signal = signal;
    await new Promise<void>((resolve) => {
      this.opened = resolve;
    });
    return {
      next: async () => {
        this.calls.push('next');
        return new Uint8Array(10);
      },
      close: () => {
        this.calls.push('close');
      },
    };
  }
}

test('a range is opened when its first chunk is asked for', async () => {
  const source = new SlowSource();
  const reader = source.stream().getReader();
  await tick();
  assert.is(source.signal, undefined);
  const read = reader.read();
  await tick();
  source.opened();
  assert.is((await read).value?.length, 10);
  await reader.cancel();
  assert.equal(source.calls, ['next', 'close']);
  assert.ok(source.signal!.aborted);
});

test('what is opened for a stream that was cancelled meanwhile is closed, and not read', async () => {
  const source = new SlowSource();
  const reader = source.stream().getReader();
  const read = reader.read();
  await tick();
  await reader.cancel(new Error('enough'));
  assert.is(source.signal!.reason.message, 'enough');
  source.opened();
  assert.is((await read).done, true);
  await tick();
  assert.equal(source.calls, ['close']);
});

test('closing the source ends reads that are being opened', async () => {
  const source = new SlowSource();
  const read = source.read(0, 10);
  await tick();
  await source.close();
  await rejects(read, DOMException, /closed/);
  source.opened();
  await tick();
  assert.equal(source.calls, ['close']);
  await rejects(source.read(0, 1), DOMException, /closed/);
});

test.run();

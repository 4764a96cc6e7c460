/** What takes a signal, each as a job that checks what it gives. Files on disk are the jobs of `fileJobs.ts`. */
import { last, type Observable, toArray } from 'rxjs';
import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import { fromReadableStream } from '../../../operators/fromReadableStream.js';
import { decodeHct, HctDecoderStream } from '../../../operators/hct.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  ReconstructionStream,
  reconstruct,
  takeUntilQuality,
} from '../../../operators/holotensor.js';
import { HctReader } from '../../../readers/hctReader.js';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { memorySink } from '../../../sinks/memory.js';
import { sinkStream } from '../../../sinks/streams.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { openCache } from '../../../sources/cache/cache.js';
import { memoryStore } from '../../../sources/cache/store.js';
import { withCache } from '../../../sources/cache/withCache.js';
import { withCoalescing } from '../../../sources/coalesce.js';
import { httpSource } from '../../../sources/http/httpSource.js';
import { streamSource } from '../../../sources/stream.js';
import { concatenate } from '../../../src/bytes/binary.js';
import type { Reconstruction } from '../../../src/holotensor/reconstruction.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import type { WorkerPool } from '../../../workers/pool.js';
import type { FileServer } from '../../helpers/fileServer.js';
import type { GivenStreams } from './givenStreams.js';
import { LARGE, MEDIUM, SMALL } from './servedFiles.js';

export interface AbortJob {
  readonly name: string;
  /** Work that ends, at the latest when the signal aborts; what it gives is checked. */
  run(signal: AbortSignal): Promise<void>;
}

/** The last value of an observable; an abort unsubscribes. */
function untilUnsubscribed<T>(observable: Observable<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const subscription = observable.subscribe({ next: resolve, error: reject });
    signal.addEventListener('abort', () => {
      subscription.unsubscribe();
      reject(signal.reason);
    });
  });
}

const http = { retry: { delay: 1, maxDelay: 5 } };

export function abortJobs(
  server: Pick<FileServer, 'url' | 'files' | 'before'>,
  pool: WorkerPool,
  streams: GivenStreams,
): readonly AbortJob[] {
  const urlOf = (name: string) => `${server.url}${name}`;
  const fileOf = (name: string) => server.files.get(name)!;
  const jobs: AbortJob[] = [];
  const add = (name: string, run: AbortJob['run']) => jobs.push({ name, run });

  const whole = async (name: string, source: RandomAccessSource, signal: AbortSignal) => {
    try {
      const file = fileOf(name);
      const [start, ...rest] = await Promise.all([
        source.read(0, 10, { signal }),
        source.read(100, 20_000, { signal }),
        source.read(file.length - 10, 10, { signal }),
      ]);
      assert.ok(file.subarray(0, 10).every((byte, i) => byte === start![i]));
      assert.is(rest[0]!.length, 20_000);
      const chunks: Uint8Array[] = [];
      const reader = source.stream({ signal }).getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
      assert.ok(Buffer.from(concatenate(chunks)).equals(file));
    } finally {
      await source.close?.();
    }
  };
  const name = 'model.safetensors';
  add('httpSource', (signal) => whole(name, httpSource(urlOf(name), http), signal));
  add('httpSource with its own signal', (signal) =>
    whole(name, httpSource(urlOf(name), { ...http, signal }), new AbortController().signal),
  );
  add('httpSource, several copies', (signal) =>
    whole(name, httpSource([urlOf('none'), urlOf(name)], http), signal),
  );
  add('withCache', (signal) =>
    whole(name, withCache(httpSource(urlOf(name), http), openCache(memoryStore())), signal),
  );
  add('withCoalescing', (signal) => whole(name, withCoalescing(httpSource(urlOf(name), http)), signal));
  add('a server that breaks connections', async (signal) => {
    let requests = 0;
    server.before = async (_, response) => {
      requests += 1;
      if (requests % 2 === 0) return undefined;
      response.writeHead(503, { 'retry-after': '0' }).end();
      return true;
    };
    try {
      await whole(name, httpSource(urlOf(name), http), signal);
    } finally {
      server.before = async () => undefined;
    }
  });
  add('streamSource', async (signal) => {
    const bytes = fileOf('model.safetensors');
    const source = streamSource(streams.of(bytes));
    const sink = memorySink();
    await source.stream({ signal }).pipeTo(sinkStream(sink));
    assert.ok(Buffer.from(sink.bytes).equals(bytes));
  });

  for (const [kind, workers] of [
    ['', undefined],
    [', workers', pool],
  ] as const) {
    const hct = workers ? 'large.hct' : 'small.hct';
    const { data: numbers } = workers ? LARGE : SMALL;
    const same = (data: ArrayBufferView) =>
      Buffer.from(viewBytes(data as Uint8Array)).equals(viewBytes(numbers));
    add(`HctReader${kind}`, async (signal) => {
      const reader = await HctReader.open(urlOf(hct), { signal, workers });
      try {
        assert.ok(same((await reader.readAll({ signal })).data));
        assert.ok((await reader.validateChecksums({ signal })) > 0);
      } finally {
        await reader.close();
      }
    });
    add(`collectTensor${kind}`, async (signal) => {
      assert.ok(same((await collectTensor(streams.of(fileOf(hct)), { signal, workers })).data));
    });
    add(`collectTensor of a response${kind}`, async (signal) => {
      const ask = () => fetch(urlOf(hct), { signal });
      // The server may just be closing the connection that was kept.
      const response = await ask().catch((error) => (signal.aborted ? Promise.reject(error) : ask()));
      assert.ok(same((await collectTensor(response, { signal, workers })).data));
    });
    add(`a pipe through HctDecoderStream${kind}`, async (signal) => {
      const sink = memorySink();
      await streams
        .of(fileOf(hct))
        .pipeThrough(new HctDecoderStream({ workers }), { signal })
        .pipeTo(sinkStream(sink), { signal });
      assert.ok(same(sink.bytes));
    });
    add(`an observable of bytes${kind}`, async (signal) => {
      const observable = fromReadableStream(streams.of(fileOf(hct))).pipe(decodeHct({ workers }), toArray());
      assert.ok(same(concatenate(await untilUnsubscribed(observable, signal))));
    });
    const holo = workers ? 'medium.holo' : 'small.holo';
    add(`an observable of reconstructions${kind}`, async (signal) => {
      const bytes = fromReadableStream(streams.of(fileOf(holo)));
      const observable = bytes.pipe(
        decodeFragments(),
        reconstruct({ workers }),
        takeUntilQuality(0.99),
        last(),
      );
      assert.ok((await untilUnsubscribed(observable, signal)).fragments > 0);
    });
    add(`HoloTensorReader${kind}`, async (signal) => {
      const reader = await HoloTensorReader.open(urlOf(holo), { signal, workers });
      try {
        assert.ok((await reader.readAll({ signal })).complete);
        await reader.readToQuality(0.9, { signal });
      } finally {
        await reader.close();
      }
    });
    add(`a pipe through ReconstructionStream${kind}`, async (signal) => {
      let last: Reconstruction | undefined;
      const write = (tensor: Reconstruction) => {
        last = tensor;
      };
      await streams
        .of(fileOf(holo))
        .pipeThrough(new FragmentDecoderStream(), { signal })
        .pipeThrough(new ReconstructionStream({ workers }), { signal })
        .pipeTo(new WritableStream({ write }), { signal });
      assert.ok(last?.complete);
    });
    const models = workers
      ? ['medium.holo.safetensors']
      : ['model.holo.safetensors', 'model.safetensors', 'directory/', 'model.safetensors.index.json'];
    const weights = viewBytes((workers ? MEDIUM : SMALL).data);
    for (const file of models) {
      add(`openModel: ${file}${kind}`, async (signal) => {
        const model = await openModel(urlOf(file), { signal, http });
        try {
          const loaded = await model.load({ signal, workers });
          for (const { data } of loaded.values()) assert.ok(Buffer.from(viewBytes(data)).equals(weights));
          assert.is(loaded.size, 2);
        } finally {
          await model.close();
        }
      });
    }
  }
  add('rows of a model, and a tensor', async (signal) => {
    const model = await openModel(urlOf('model.safetensors'), { signal, http });
    try {
      const rows = await model.rows('a', 3, 5, { signal });
      assert.equal(rows.shape, [2, 80]);
      await model.tensor('b', { signal });
    } finally {
      await model.close();
    }
  });
  return jobs;
}

import { HctReader, httpSource, openCache, withCache } from 'holostream';
import { folderStore } from 'holostream/node';

// A broken connection is resumed at the byte where it broke; a busy server is asked again; each URL is a fallback for
// the other.
const copies = ['fc1.weight.hct', 'fc1.weight-2.hct'].map((name) => `https://example.org/model/${name}`);
const remote = httpSource(copies, {
  onEvent: (event) => {
    if (event.type === 'retry') console.warn(`retry in ${event.delay} ms`, event.error);
  },
});

// Fetched bytes stay in a folder and are verified whenever they are read.
const source = withCache(remote, openCache(await folderStore('cache'), { maxSize: 2e9 }));
const tensor = await HctReader.open(source);
console.log((await tensor.readRows(0, 1)).shape);
await source.close?.();

import { HctReader, httpSource, openCache, withCache } from 'holostream';
import { folderStore } from 'holostream/node';

// Broken connections are resumed at the byte where they broke, busy servers asked again; several URLs of one file
// stand in for each other.
const copies = ['fc1.weight.hct', 'fc1.weight-2.hct'].map((name) => `https://example.org/model/${name}`);
const remote = httpSource(copies, {
  onEvent: (event) => {
    if (event.type === 'retry') console.warn(`again in ${event.delay} ms`, event.error);
  },
});

// What has been fetched once stays in a folder (browsers: opfsStore, cacheApiStore), checked whenever it is read.
const source = withCache(remote, openCache(await folderStore('cache'), { maxSize: 2e9 }));
const tensor = await HctReader.open(source);
console.log(await tensor.readRows(0, 1));
await source.close?.();

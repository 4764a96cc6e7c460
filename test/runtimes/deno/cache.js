// A model that Deno's Cache API keeps, opened without the server.
import { cacheApiStore, openCache, openModel } from 'holostream';

const [url] = Deno.args;
const events = [];
const onEvent = ({ type }) => events.push(type);

async function load(offline) {
  const cache = openCache(await cacheApiStore('models'), { onEvent });
  const model = await openModel(url, { cache, offline });
  const { size } = await model.load();
  await model.close();
  return size;
}

console.log(JSON.stringify({ first: await load(false), offline: await load(true), events }));

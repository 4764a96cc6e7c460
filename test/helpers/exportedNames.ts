/** Names of the values that each entry of the package exports. */
export async function exportedNames(): Promise<Record<string, string[]>> {
  const entries = {
    holostream: import('../../index.js'),
    'holostream/lean': import('../../lean.js'),
    'holostream/fetch': import('../../adapters/fetch.js'),
    'holostream/service-worker': import('../../adapters/serviceWorker.js'),
    'holostream/onnxruntime': import('../../adapters/onnxruntime.js'),
    'holostream/tfjs': import('../../adapters/tfjs.js'),
    'holostream/node': import('../../node.js'),
    'holostream/bulk': import('../../bulk/index.js'),
    'holostream/formats': import('../../formats.js'),
    'holostream/operators': import('../../operators/index.js'),
    'holostream/sinks': import('../../sinks/index.js'),
    'holostream/sources': import('../../sources/index.js'),
  };
  const names: Record<string, string[]> = {};
  for (const [entry, module] of Object.entries(entries)) names[entry] = Object.keys(await module).sort();
  return names;
}

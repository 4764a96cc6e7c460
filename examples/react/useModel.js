import { openModel } from 'holostream';
import { useEffect, useState } from 'react';

/** `{ snapshot }`: all tensors of a model, better from render to render. `{ error }` when it cannot be loaded. */
export function useModel(url) {
  const [state, setState] = useState({});
  useEffect(() => {
    const stop = new AbortController();
    const show = (snapshot) => setState({ snapshot });
    streamModel(url, show, stop.signal).catch((error) => stop.signal.aborted || setState({ error }));
    return () => stop.abort();
  }, [url]);
  return state;
}

async function streamModel(url, show, signal) {
  const model = await openModel(url, { signal });
  const showAll = async () => {
    for await (const snapshot of model.snapshots({ signal })) show(snapshot);
  };
  // A load that fails ends the snapshots, too.
  const loading = model.load({ signal }).catch((error) => model.close().then(() => Promise.reject(error)));
  await Promise.all([loading, showAll()]).finally(() => model.close());
}

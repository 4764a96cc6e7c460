import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { useModel } from './useModel.js';

export function Quality({ url }) {
  const { snapshot, error } = useModel(url);
  if (error) return createElement('p', { id: 'error' }, String(error));
  return createElement(
    'p',
    { id: snapshot?.complete ? 'complete' : 'loading' },
    snapshot?.quality ?? 'loading',
  );
}

const url = new URLSearchParams(location.search).get('model') ?? 'model.holo.safetensors';
createRoot(document.body).render(createElement(StrictMode, null, createElement(Quality, { url })));

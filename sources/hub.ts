import { ArgumentError } from '../src/errors.js';
import { type Place, placeOf } from './place.js';

/** A model on a hub: `hf:org/model`, with a revision `hf:org/model@v1.0`, or a file of it `hf:org/model/onnx/model.onnx`. */
const NAME = /^hf:(?:\/\/)?([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/;

const DEFAULT_HUB = 'https://huggingface.co';

/** The names that all clients of the hub use for the hub's address and the user's token. */
const { HF_ENDPOINT: hub = DEFAULT_HUB, HF_TOKEN: token } = process.env;

/**
 * The place that an argument of a command names, or a source of a bulk conversion: a path, a URL, or a model on the hub. The
 * token goes to the hub's origin only: it does not follow redirects to the servers that have the files.
 * @throws ArgumentError for what is no model on a hub, and for a URL that cannot be requested
 */
export function argumentPlace(name: string): Place {
  const url = name.startsWith('hf:') ? hubUrl(name) : name;
  const isToHub = token !== undefined && token !== '' && originOf(url) === originOf(hub);
  return placeOf(url, isToHub ? { headers: { authorization: `Bearer ${token}` } } : undefined);
}

function originOf(url: string): string | undefined {
  return /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url).origin : undefined;
}

/** @throws ArgumentError */
function hubUrl(name: string): string {
  const [, model, revision = 'main', file = ''] = NAME.exec(name) ?? [];
  const parts = [...(model?.split('/') ?? []), ...file.split('/')];
  if (model === undefined || parts.some((part) => /^\.+$/.test(part))) {
    throw new ArgumentError('Cannot find the model on a hub: its name is of another form', {
      name,
      expected: 'hf:organisation/model, with @revision or /file',
    });
  }
  // A revision may have slashes, escaped or not: refs%2Fpr%2F1.
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${hub.replace(/\/+$/, '')}/${model}/resolve/${encodeURIComponent(decoded(revision))}/${path}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

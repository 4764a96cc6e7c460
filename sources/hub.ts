import type { HttpSourceOptions } from './http/httpSource.js';
import { environment, hubUrl, withToken } from './hubUrl.js';
import { type Place, placeOf } from './place.js';

/**
 * The place that an argument of a command names, or a source of a bulk conversion: a path, a URL, or a model on the hub. The
 * token goes to the hub's origin only: it does not follow redirects to the servers that have the files.
 * @throws ArgumentError for what is no model on a hub, and for a URL that cannot be requested
 */
export function argumentPlace(name: string, http?: HttpSourceOptions): Place {
  const { hub, token } = environment();
  const url = name.startsWith('hf:') ? hubUrl(name, hub) : name;
  const isToHub = token !== undefined && originOf(url) === originOf(hub);
  return placeOf(url, isToHub ? { ...http, ...withToken(token) } : http);
}

function originOf(url: string): string | undefined {
  return /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url).origin : undefined;
}

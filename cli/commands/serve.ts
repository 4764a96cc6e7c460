import { once } from 'node:events';
import { serveFolder } from '../serve/folderServer.js';
import { print, printJson } from '../terminal.js';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly rate?: number;
  readonly json?: true;
}

/** Serves a folder until it is interrupted. */
export async function serve(
  folder: string,
  { json, ...options }: ServeOptions,
  signal: AbortSignal,
): Promise<void> {
  await using server = await serveFolder(folder, options);
  const { url } = server;
  if (json) printJson({ url, folder });
  else print([`${url} serves ${folder} (Ctrl-C ends it)`]);
  if (!signal.aborted) await once(signal, 'abort');
}

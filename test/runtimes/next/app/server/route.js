import { check } from '../../check.js';

/** Reads the files on the server. */
export async function GET(request) {
  const base = new URL(request.url).searchParams.get('base');
  return Response.json(await check(base));
}

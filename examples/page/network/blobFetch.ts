/** Answers requests for ranges from a Blob, as a server would: files of the user's pass the same connection. */
export function blobFetch(blob: Blob): typeof fetch {
  return async (_, init) => {
    const { size } = blob;
    const [, first = '0', last] =
      /^bytes=(\d+)-(\d*)$/.exec(new Headers(init?.headers).get('range') ?? '') ?? [];
    const start = Number(first);
    const end = last ? Math.min(Number(last) + 1, size) : size;
    if (start >= size)
      return new Response(null, { status: 416, headers: { 'content-range': `bytes */${size}` } });
    const headers = {
      'content-length': String(end - start),
      'content-range': `bytes ${start}-${end - 1}/${size}`,
    };
    return new Response(blob.slice(start, end).stream(), { status: 206, headers });
  };
}

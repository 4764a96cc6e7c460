// As Deno's documentation serves files: without ranges, validators or a length.
Deno.serve(
  {
    port: 0,
    hostname: '127.0.0.1',
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  },
  async (request) => {
    try {
      const file = await Deno.open(`public${decodeURIComponent(new URL(request.url).pathname)}`);
      return new Response(file.readable);
    } catch {
      return new Response('not found', { status: 404 });
    }
  },
);

// As Bun's documentation serves files.
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const file = Bun.file(`public${decodeURIComponent(new URL(request.url).pathname)}`);
    return (await file.exists()) ? new Response(file) : new Response('not found', { status: 404 });
  },
});
console.log(`http://127.0.0.1:${server.port}`);

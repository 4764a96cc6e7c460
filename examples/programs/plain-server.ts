/**
 * Serves the plain safetensors file that a model file was made of, at any quality: /?quality=0.97. `answer` is a handler of
 * Express as well: app.get('/model.safetensors', answer). Usage: plain-server MODEL [PORT]
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { openModel } from 'holostream';

const [name = '', port = '8080'] = process.argv.slice(2);
const model = await openModel(name);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const quality = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('quality') ?? 1);
    const file = await model.file({ quality, signal: gone.signal });
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const { range } = request.headers;
    const { status, headers, body } = file.response({ range, method, signal: gone.signal });
    response.writeHead(status, Object.fromEntries(headers));
    if (body === null) response.end();
    else await pipeline(body, response);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else response.writeHead(400).end(error instanceof Error ? error.message : '');
  }
}

const server = createServer(answer);
server.listen(Number(port), '127.0.0.1', () => console.log('listening', server.address()));

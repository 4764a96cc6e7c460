import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

export interface FolderServer extends AsyncDisposable {
  /** Of the folder, with a slash at its end. */
  readonly url: string;
  /** Bytes of bodies sent so far. */
  readonly sent: number;
}

/** A plain web server for the files of one folder, which sends their bytes in chunks of `chunkSize`. */
export async function serveFolder(folder: string, chunkSize: number): Promise<FolderServer> {
  let sent = 0;
  const server = createServer(async (request, response) => {
    try {
      // basename: a request can name nothing outside the folder.
      const name = basename(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
      await using file = await open(join(folder, name));
      const { size } = await file.stat();
      response.writeHead(200, { 'content-length': size });
      for await (const chunk of file.createReadStream({ highWaterMark: chunkSize, autoClose: false })) {
        if (response.destroyed) return;
        sent += chunk.length;
        if (!response.write(chunk))
          await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
      }
      response.end();
    } catch {
      if (response.headersSent) response.destroy();
      else response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    get sent() {
      return sent;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

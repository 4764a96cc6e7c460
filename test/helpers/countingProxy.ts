import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** What goes through the proxy between a client and a server. */
export interface CountingProxy extends AsyncDisposable {
  /** The server's URL by way of the proxy. */
  readonly url: string;
  readonly connections: number;
  readonly requests: number;
  /** Bytes that the server has sent, heads and framing included. */
  readonly wire: number;
}

/** A proxy of TCP on a free local port, which counts what a server really gets and sends. Requests have no bodies. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const state = { connections: 0, requests: 0, wire: 0 };
  const proxy = createServer((client) => {
    state.connections += 1;
    const server = connect(Number(port), hostname);
    let tail = '';
    client.on('data', (data) => {
      // A head ends with an empty line, which may come in two chunks.
      tail += data.toString('latin1');
      const heads = tail.split('\r\n\r\n');
      state.requests += heads.length - 1;
      tail = heads.at(-1)!;
    });
    server.on('data', (data) => {
      state.wire += data.length;
    });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`,
    get connections() {
      return state.connections;
    },
    get requests() {
      return state.requests;
    },
    get wire() {
      return state.wire;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

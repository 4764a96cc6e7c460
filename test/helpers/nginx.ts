import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './freePort.js';
import { until } from './streams.js';

/** Debian's place for it (package nginx-light). */
const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';

export interface Nginx extends AsyncDisposable {
  readonly url: string;
  /** The folder that is served. */
  readonly folder: string;
  /** The requests that have ended: method, status, range asked for, bytes of the body sent. */
  log(): Promise<{ method: string; status: number; range: string; sent: number }[]>;
}

/**
 * A real nginx on a free local port, serving the files of a new folder as it does without further ado.
 * @param locations more of its configuration
 */
export async function nginx(locations = ''): Promise<Nginx> {
  const root = await mkdtemp(join(tmpdir(), 'holostream-nginx-'));
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(root, 'nginx.conf'),
    `daemon off;
    master_process off;
    pid ${root}/pid;
    error_log ${root}/error.log;
    events {}
    http {
      ${paths.map((path) => `${path}_temp_path ${root}/${path};`).join('\n')}
      log_format test '$request_method $status "$http_range" $body_bytes_sent';
      access_log ${root}/access.log test;
      gzip on;
      gzip_types *;
      server {
        listen 127.0.0.1:${port};
        root ${root};
        location /limited/ { alias ${root}/; limit_rate 4m; }
        location /whole/ { alias ${root}/; max_ranges 0; }
        ${locations}
      }
    }`,
  );
  const server = spawn(NGINX, ['-p', root, '-c', join(root, 'nginx.conf'), '-e', join(root, 'error.log')]);
  const url = `http://127.0.0.1:${port}/`;
  await answering(server, url);
  return {
    url,
    folder: root,
    async log() {
      const text = await readFile(join(root, 'access.log'), 'utf8');
      return text
        .trim()
        .split('\n')
        .filter((line) => line.includes('bytes='))
        .map((line) => {
          const [, method, status, range, sent] = /^(\w+) (\d+) "(.*)" (\d+)$/.exec(line)!;
          return { method: method!, status: Number(status), range: range!, sent: Number(sent) };
        });
    },
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await rm(root, { recursive: true });
    },
  };
}

async function answering(server: ChildProcess, url: string): Promise<void> {
  let failure: unknown;
  server.once('error', (error) => {
    failure = error;
  });
  let answers = false;
  await until(async () => {
    const asked = fetch(url).then((response) => response.arrayBuffer());
    answers = await asked.then(
      () => true,
      () => false,
    );
    return answers || failure !== undefined || server.exitCode !== null;
  });
  if (failure !== undefined)
    throw new Error(`${NGINX} does not start (Debian: apt install nginx-light)`, { cause: failure });
  if (server.exitCode !== null) throw new Error(`nginx ended with code ${server.exitCode}`);
  if (!answers) throw new Error('nginx does not answer');
}

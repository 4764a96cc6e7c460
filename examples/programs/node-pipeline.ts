/** Decodes a tensor from a web server into a file, in constant memory. Usage: node-pipeline URL OUT */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HctDecoderStream } from 'holostream';

const [url = '', out = ''] = process.argv.slice(2);
const response = await fetch(url);
const decoded = response.body!.pipeThrough(new HctDecoderStream());
await pipeline(Readable.from(decoded), createWriteStream(out));
console.log(`${out} has the elements`);

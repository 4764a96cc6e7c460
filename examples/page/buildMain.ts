/** `npm run build:page -- FOLDER`: the demo page as files for any static host. */
import { mkdir } from 'node:fs/promises';
import { buildPage } from './build.js';

const [folder = 'page'] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const { text } = await buildPage(folder);
console.log(`The page is in ${folder}: any web server can serve it.`);
if (!text) {
  console.log(
    'It has no panel that reads text; for that: npm ci --ignore-scripts --prefix test/runtimes/page',
  );
}

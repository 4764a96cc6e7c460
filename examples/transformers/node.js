/** usage: node node.js URL [QUALITY] */
import { embed } from './embed.js';

const [url, quality = '1'] = process.argv.slice(2);
console.log(JSON.stringify(await embed(url, Number(quality))));

/** In Node. usage: node run.js URL QUALITY */
import { embed } from './embed.js';

const [url, quality] = process.argv.slice(2);
console.log(JSON.stringify(await embed(url, Number(quality))));

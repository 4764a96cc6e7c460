/** The program in a process: `process.js URL` prints the outcome. */

import { check } from './check.js';

console.log(JSON.stringify(await check(process.argv[2])));

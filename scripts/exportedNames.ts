/** Writes the list of exported names that the package's test compares with. */
import { writeFileSync } from 'node:fs';
import { exportedNames } from '../test/helpers/exportedNames.js';

const list = new URL('../test/exportedNames.json', import.meta.url);
writeFileSync(list, `${JSON.stringify(await exportedNames(), null, 2)}\n`);

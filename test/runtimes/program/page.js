/** The program in a page: the test that opened it reads the outcome. */

import { check } from './check.js';

check(new URL('files/', location.href).href).then(
  (value) => {
    globalThis.outcome = { value };
  },
  (error) => {
    globalThis.outcome = { error: `${error.stack ?? error}` };
  },
);

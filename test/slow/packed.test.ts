/** What npm would publish, built and packed once for all that is tested of it. */
import { test as contents } from '../package/contents.js';
import { test as engines } from '../package/engines.js';

contents.run();
engines.run();

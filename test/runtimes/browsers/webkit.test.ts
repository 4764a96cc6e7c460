import { suite } from 'uvu';
import { browserSuite } from '../helpers/browserSuite.js';

const test = suite('the tests of browsers in WebKitGTK');

browserSuite(test, () => new URL('webkit.js', import.meta.url).href);

test.run();

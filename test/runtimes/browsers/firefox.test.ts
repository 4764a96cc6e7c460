import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import { browserSuite } from '../helpers/browserSuite.js';
import { Project } from '../helpers/project.js';

const test = suite('the tests of browsers in Firefox');
let project: Project;

test.before(async () => {
  project = await Project.create('browsers');
});
test.after(() => project.remove());

browserSuite(test, () => pathToFileURL(project.path('firefox.js')).href);

test.run();

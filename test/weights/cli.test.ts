import { join } from 'node:path';
import { suite } from 'uvu';
import {
  checkModelDirectoryCommands,
  checkModelFileCommands,
  checkModelFileQuality,
} from '../helpers/checks/commands.js';
import { temporaryFolder } from '../helpers/cli.js';
import { weightsPath } from '../helpers/weights.js';

const test = suite('command line: real weights');
const folder = temporaryFolder();
const input = weightsPath('silero-vad-16k');

test('a model file and back, byte for byte', () => checkModelFileCommands(folder, input, 'conv1.weight'));

test('quality: what a download in order is worth, as the file says', () =>
  checkModelFileQuality(join(folder, 'model.holo.safetensors')));

test('a model directory, from standard input too', () => checkModelDirectoryCommands(folder, input));

test.run();

import { basename, win32 } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileNames, isSafeFileName } from '../../../models/directory/fileNames.js';

const test = suite('model file names');

const HOSTILE = [
  '../x',
  '..',
  '.',
  '',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'C:\\x',
  'con',
  'NUL.weight',
  'com1',
  'LPT9.x.y',
  'PRN .weight',
  'aux. ',
  'CONIN$',
  'COM\u00b9',
  'trailing ',
  'trailing...',
  'a\0b',
  '-rf',
  '~root',
  'é',
  '日本',
];

/**
 * As documented by Microsoft ("Naming Files, Paths, and Namespaces"): names of devices, before the first dot and without
 * spaces at its end; names that end in a dot or a space; characters that no name may have.
 */
function isReservedByWindows(name: string): boolean {
  const stem = name.split('.')[0]!.trimEnd().toUpperCase();
  const devices = /^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])$/;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are among the characters
  return devices.test(stem) || /[. ]$/.test(name) || /[<>:"/\\|?*\u0000-\u001f]/.test(name);
}

test('ordinary names stay readable', () => {
  const names = new FileNames();
  assert.is(names.next('model.layers.0.weight', '.hct'), 'model.layers.0.weight.hct');
  assert.is(names.next('a/b', '.raw'), 'a_b.raw');
});

test('whatever the tensors are called, the files are plain, safe and distinct where case is ignored', () => {
  const name = fc.oneof(
    fc.constantFrom(...HOSTILE, 'A', 'a', 'a-2', 'a_b'),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 30 }), (tensorNames) => {
      const names = new FileNames();
      const files = tensorNames.map((one) => names.next(one, '.hct'));
      assert.is(new Set(files.map((file) => file.toLowerCase())).size, files.length);
      for (const file of files) {
        assert.ok(isSafeFileName(file), file);
        assert.is(basename(file), file);
        assert.is(win32.basename(file), file);
        assert.not(isReservedByWindows(file), file);
      }
    }),
  );
});

test('what could leave a folder, hide or name a device is not safe', () => {
  for (const name of [...HOSTILE, 'a.', 'x'.repeat(300)]) assert.not(isSafeFileName(name), name);
});

test.run();

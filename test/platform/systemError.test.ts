import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { patiently, systemReason } from '../../platform/systemError.js';
import { rejects } from '../helpers/assertions.js';

const test = suite('errors of file systems');

const systemError = (code: string) => Object.assign(new Error(`${code}: what the system says`), { code });

test('each code that is known has a reason; what is no error of a system has none', () => {
  assert.is(systemReason(systemError('EACCES')), ': this user has no permission');
  assert.is(systemReason(systemError('EROFS')), ': the file system is read-only');
  assert.is(systemReason(systemError('ENOSPC')), ': the disk is full');
  assert.is(systemReason(systemError('ENOENT')), ': it does not exist');
  assert.is(systemReason(systemError('ENOENT'), 'its folder does not exist'), ': its folder does not exist');
  for (const other of [
    systemError('EWHATEVER'),
    systemError('toString'),
    new Error('x'),
    undefined,
    null,
    'EACCES',
  ]) {
    assert.is(systemReason(other), '');
  }
});

test('what is in use is tried again, other errors are not', async () => {
  for (const code of ['EPERM', 'EBUSY']) {
    let attempts = 0;
    const result = await patiently(async () => {
      attempts += 1;
      if (attempts < 4) throw systemError(code);
      return 'done';
    });
    assert.equal([result, attempts], ['done', 4]);
  }
  let attempts = 0;
  const failing = patiently(async () => {
    attempts += 1;
    throw systemError('EACCES');
  });
  await rejects(failing, Error, /EACCES/);
  assert.is(attempts, 1);
});

test('what stays in use fails in the end', async () => {
  let attempts = 0;
  const failing = patiently(async () => {
    attempts += 1;
    throw systemError('EBUSY');
  });
  await rejects(failing, Error, /EBUSY/);
  assert.is(attempts, 8);
});

test.run();

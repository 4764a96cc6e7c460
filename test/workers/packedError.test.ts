import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as errors from '../../src/errors.js';
import { packError, unpackError } from '../../workers/packedError.js';

const { ChecksumError, FormatError } = errors;

const passed = (error: unknown) => unpackError(structuredClone(packError(error)));

test('class, fields, message and cause survive', () => {
  const cause = new RangeError('deep');
  const error = new ChecksumError('block', { name: 'w', blockIndex: 3, expected: 1n, actual: 2n, cause });
  const copy = passed(error) as errors.ChecksumError;
  assert.instance(copy, ChecksumError);
  assert.instance(copy, FormatError);
  assert.is(copy.message, error.message);
  assert.is(copy.stack, error.stack);
  assert.equal([copy.what, copy.where, copy.blockIndex, copy.expected], ['block', 'w, block 3', 3, 1n]);
  assert.is((copy.cause as Error).message, 'deep');
  assert.is((copy.cause as Error).name, 'RangeError');
});

test('every class of errors passes', () => {
  const classes = Object.entries(errors);
  assert.ok(classes.length > 10);
  for (const [name, Class] of classes) {
    const copy = passed(new Class('it', {}));
    assert.is(copy.constructor, Class, name);
  }
});

test('a class is known by its export, whatever a minifier made of its name', () => {
  const error = new ChecksumError('block');
  error.name = 'it';
  const copy = passed(error);
  assert.instance(copy, ChecksumError);
  assert.is(copy.name, 'ChecksumError');
});

test('other errors keep their name, other values their words', () => {
  assert.is(passed(new RangeError('far')).name, 'RangeError');
  assert.is(passed('just words').message, 'just words');
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limitsOf } from '../../../src/checks/limits.js';
import { FormatError, LimitError } from '../../../src/errors.js';
import { readStateDict } from '../../../src/torch/stateDict.js';
import { throws } from '../../helpers/assertions.js';
import { pickledTensor, pickledText, pickleOf } from '../../helpers/pickles.js';

const test = suite('tensors in pickles');

/** A tensor of one element, which is then remembered as 0. */
const ONE = pickleOf(pickledTensor('K\x01\x85', 'K\x01\x85'), 'q\x00');

test('tensors of a dictionary, by their names', () => {
  const square = pickledTensor('K\x02K\x03\x86', 'K\x03K\x01\x86');
  const pickle = pickleOf('}(', pickledText('a'), square, pickledText('b'), ONE, 'u.');
  const tensors = readStateDict(pickle, limitsOf());
  const listed = tensors.map(({ name, shape, byteLength }) => [name, shape, byteLength]);
  assert.equal(listed, [
    ['a', [2, 3], 24],
    ['b', [1], 4],
  ]);
});

test('a tensor has no more dimensions than limits.rank', () => {
  const many = pickleOf('(K\x00', 'K\x02'.repeat(20_000), 't');
  throws(
    () => readStateDict(pickleOf(pickledTensor(many, many), '.'), limitsOf()),
    LimitError,
    /limits\.rank/,
  );
});

test('one tensor under many names is as many tensors', () => {
  const pickle = pickleOf('](', ONE, 'h\x00'.repeat(20), 'e.');
  assert.is(readStateDict(pickle, limitsOf()).length, 21);
  throws(() => readStateDict(pickle, limitsOf({ limits: { tensors: 20 } })), LimitError, /limits\.tensors/);
});

test('a long name of many tensors counts for each of them', () => {
  const list = pickleOf('](', ONE, 'h\x00'.repeat(20), 'e');
  const pickle = pickleOf('}', pickledText('n'.repeat(1000)), list, 's.');
  const limits = { manifestBytes: 20_000 };
  throws(() => readStateDict(pickle, limitsOf({ limits })), LimitError, /limits\.manifestBytes/);
});

test('a dictionary that is made of the same list again and again is counted each time', () => {
  const list = pickleOf('](', 'N'.repeat(2 ** 17), 'eq\x00');
  const call = 'ccollections\nOrderedDict\nh\x00\x85R0';
  throws(
    () => readStateDict(pickleOf(list, call.repeat(64), '.'), limitsOf()),
    LimitError,
    /too many objects/,
  );
});

test('lists in lists are no name of a class', () => {
  // Each list has the one before twice: joined, they would be 2^40 texts.
  const nested = pickleOf(']q\x00', 'h\x00h\x00\x86q\x00'.repeat(40), 'h\x00h\x00\x93.');
  throws(() => readStateDict(nested, limitsOf()), FormatError, /it is damaged/);
});

test.run();

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { productFiles } from './helpers/product.js';
import {
  errorFamily,
  isSentence,
  type SourceFile,
  thrownErrors,
  withoutComments,
} from './helpers/thrownMessages.js';

const test = suite('messages of errors');

const root = fileURLToPath(new URL('..', import.meta.url));
const family = errorFamily(readFileSync(join(root, 'src/errors.ts'), 'utf8'));

/**
 * Classes outside the family: for streams and the command line, causes of errors of the family, and those that tell BullMQ
 * what becomes of a job.
 */
const OTHERS = [
  'Error',
  'TypeError',
  'RangeError',
  'UsageError',
  'DataError',
  'InvalidArgumentError',
  'Interruption',
  'DelayedError',
  'UnrecoverableError',
  'WaitingChildrenError',
  'WaitingError',
];

function sources(): SourceFile[] {
  return productFiles().map((path) => ({
    path,
    code: withoutComments(readFileSync(join(root, path), 'utf8')),
  }));
}

/** The messages of this source that are no sentences. */
function refused(code: string): string[] {
  return thrownErrors([{ path: 'example.ts', code }], family)
    .flatMap(({ messages }) => messages ?? ['(not understood)'])
    .filter((message) => !isSentence(message));
}

test('every message of the family is a sentence that says what was attempted', () => {
  const errors = thrownErrors(sources(), family);
  const stubs = errors.flatMap(({ path, line, messages = [] }) =>
    messages.filter((message) => !isSentence(message)).map((message) => `${path}:${line}: ${message}`),
  );
  assert.equal(stubs, []);
});

test('no message is left out: all are found and understood', () => {
  const files = sources();
  const errors = thrownErrors(files, family);
  const notUnderstood = errors.filter(({ messages }) => messages === undefined);
  assert.equal(
    notUnderstood.map(({ path, expression }) => `${path}: ${expression}`),
    [],
  );
  const made = files.flatMap(({ code }) => code.match(/\bnew\s+\w+Error\b/g) ?? []);
  const ofFamily = made.filter((text) => family.includes(text.replace(/new\s+/, '')));
  assert.is(errors.length, ofFamily.length);
  assert.ok(errors.length > 250, `${errors.length} errors`);
  for (const { path, code } of files) {
    for (const [, name = ''] of code.matchAll(/\bthrow new (\w+)/g)) {
      assert.ok(family.includes(name) || OTHERS.includes(name), `${path} throws ${name}`);
    }
  }
});

test('noun stubs are refused, however they are made', () => {
  const cases: [string, string[]][] = [
    ["throw new FormatError('quality', { expected: '0 to 1', actual });", ['quality']],
    ["throw new ArgumentError('no URL');", ['no URL']],
    ["throw new ChecksumError('tensor: hash', { expected, actual });", ['tensor: hash']],
    ["throw new FormatError('Cannot read the header: rank');", ['Cannot read the header: rank']],
    ["throw new FormatError('Cannot read the header: its rank');", ['Cannot read the header: its rank']],
    ["throw new FormatError('Cannot read');", ['Cannot read']],
    [`throw new LimitError(\`\${name} is too large\`);`, ['(not understood)']],
    [
      `const what = small ? 'Cannot read the file: it is small' : 'size';
      throw new FormatError(what);`,
      ['size'],
    ],
    [
      `function fault(what: string): FormatError {
        return new FormatError(\`index: \${what}\`);
      }
      throw fault('offset');`,
      ['index: offset'],
    ],
    [
      `function check(what: string, value: number): void {
        throw new FormatError(what, { actual: value });
      }
      check('rank', 7);`,
      ['rank'],
    ],
    [
      `class Fields {
  constructor(bytes: Uint8Array, what: string) {
    this.#what = what;
  }
  u8() {
    throw new FormatError(\`\${this.#what}: ends early\`);
  }
}
new Fields(bytes, 'payload');`,
      ['payload: ends early'],
    ],
    ["throw new ArgumentError('Cannot read these rows of the tensor', { expected, actual });", []],
    [`throw new FormatError(\`Cannot read the header: wrong size of \${show(dtype)}\`);`, []],
  ];
  for (const [code, messages] of cases) assert.equal(refused(code), messages, code);
});

test.run();

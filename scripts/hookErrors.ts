/**
 * In place of `uvu`, by `paths` of tsconfig.json: prints the error of a hook that fails, which uvu drops, and fails. A file of
 * tests without their set-up would end as if it had passed, and nothing would tell why.
 */
// @ts-expect-error its types are elsewhere
import * as module from '../node_modules/uvu/dist/index.mjs';
import type * as types from '../node_modules/uvu/index.js';

export type { Test } from '../node_modules/uvu/index.js';

const uvu: typeof types = module;

type Hook<T> = Parameters<types.Test<T>['before']>[0];

export const test = showing(uvu.test);
export const suite: typeof types.suite = (...args) => showing(uvu.suite(...args));

function showing<T>(tests: types.Test<T>): types.Test<T> {
  for (const name of ['before', 'after'] as const) {
    const hooks = tests[name];
    tests[name] = Object.assign((hook: Hook<T>) => hooks(printing(name, hook)), {
      each: (hook: Hook<T>) => hooks.each(printing(`${name}.each`, hook)),
    });
  }
  return tests;
}

function printing<T>(name: string, hook: Hook<T>): Hook<T> {
  return async (context) => {
    try {
      await hook(context);
    } catch (error) {
      const [message, ...stack] = (
        error instanceof Error ? (error.stack ?? error.message) : String(error)
      ).split('\n');
      // In the form of tests that fail.
      console.log([`\n   FAIL  "${name}"`, `    ${message}`, ...stack].join('\n'));
      // uvu sets the code of the process at its end.
      process.once('exit', () => {
        process.exitCode = 1;
      });
      throw error;
    }
  };
}

/**
 * In place of `uvu` in modules of tests: prints the error of a hook that fails, which uvu drops. Tests without their
 * set-up would be reported as failed, and nothing would tell why.
 */
import * as uvu from 'uvu';

export * from 'uvu';

type Hook<T> = Parameters<uvu.Test<T>['before']>[0];

export const test = showing(uvu.test);
export const suite: typeof uvu.suite = (...args) => showing(uvu.suite(...args));

function showing<T>(tests: uvu.Test<T>): uvu.Test<T> {
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
      throw error;
    }
  };
}

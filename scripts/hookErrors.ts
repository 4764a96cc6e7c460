/**
 * Part of each module of tests: prints the error of a hook that fails, which uvu drops. Tests without their set-up
 * would be reported as failed, and nothing would tell why.
 */
import { test } from 'uvu';

type Hooks = typeof test.before;

for (const name of ['before', 'after'] as const) {
  const hooks = test[name];
  const all: Hooks = Object.assign((hook: Parameters<Hooks>[0]) => hooks(printing(name, hook)), {
    each: (hook: Parameters<Hooks>[0]) => hooks.each(printing(`${name}.each`, hook)),
  });
  test[name] = all;
}

function printing(name: string, hook: Parameters<Hooks>[0]): Parameters<Hooks>[0] {
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

import type { Test } from 'uvu';

/**
 * Runs after each test of a suite, once. uvu runs a hook again after an error, and where an error comes then, of the hook or
 * of the test before it, the suite ends at once, and as if nothing had failed. An error of this hook is printed as that of a
 * test; then the process fails.
 */
export function afterEach<T>(test: Test<T>, hook: Parameters<Test<T>['after']['each']>[0]): void {
  test.after.each(async (context) => {
    try {
      await hook(context);
    } catch (error) {
      const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
      const places = stack.split('\n').filter((line) => /^ +at /.test(line));
      console.log([`\n   FAIL  "after ${context.__test__}"`, `    ${message}`, ...places, ''].join('\n'));
      // uvu sets the code of the process at its end.
      process.once('exit', () => {
        process.exitCode = 1;
      });
    }
  });
}

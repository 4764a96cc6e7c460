/**
 * In place of `fast-check` in modules of tests: a property fails with the error of its values, with the seed before it,
 * and the values behind it. Otherwise uvu prints the values alone.
 */
import * as fc from 'fast-check';

export * from 'fast-check';
export { default } from 'fast-check';

fc.configureGlobal({
  reporter(run) {
    if (!run.failed) return;
    const { errorInstance: error, seed, counterexamplePath: path, counterexample } = run;
    // Too many inputs were left out, or what was thrown is no error.
    if (!(error instanceof Error)) throw new Error(fc.defaultReportMessage(run));
    const places = error.stack?.split('\n').filter((line) => /^ +at /.test(line)) ?? [];
    error.message = `seed ${seed}: ${error.message}`;
    error.stack = [
      error.name,
      `{ seed: ${seed}, path: "${path}" }`,
      `Counterexample: ${fc.stringify(counterexample)}`,
      ...places,
    ].join('\n');
    throw error;
  },
});

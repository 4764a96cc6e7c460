import type { OpenOptions } from '../src/checks/limits.js';
import { quote } from '../src/errors/show.js';
import { DataError, describeFailure } from './failure.js';
import { type ModelInput, modelsOf, openModelInput } from './input/modelInput.js';
import { printReports, type Report } from './report.js';
import { tell } from './terminal.js';

/**
 * Reports on each input that a command names, one after another. Of several, one that fails does not end the command: the
 * others are looked at, too.
 * @throws DataError after all, if one of several has failed
 */
export async function reportEach(
  names: readonly string[],
  examine: (input: ModelInput) => Promise<Report>,
  { json, ...options }: OpenOptions & { readonly json?: true | undefined },
): Promise<void> {
  const models = modelsOf(names);
  const reports: Report[] = [];
  const failures: string[] = [];
  for (const [i, model] of models.entries()) {
    try {
      reports.push(await opened(model, examine, options));
    } catch (error) {
      if (models.length === 1 || options.signal?.aborted) throw error;
      const { message } = describeFailure(error);
      failures.push(`${quote(names[i]!)}: ${message}`);
      reports.push({ data: { error: message }, lines: ['failed'] });
    }
  }
  printReports(names, reports, json);
  for (const failure of failures) tell(`holostream: ${failure}`);
  if (failures.length > 0) throw new DataError(`${failures.length} of ${models.length} inputs failed`);
}

// Not in the loop: where esbuild makes `using` of older syntax, an iteration throws the error of an earlier one.
async function opened(
  model: readonly string[],
  examine: (input: ModelInput) => Promise<Report>,
  options: OpenOptions,
): Promise<Report> {
  await using input = await openModelInput(model, options);
  return await examine(input);
}

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The options of a program of this repository, from the command line. Wrong ones end it. */
export function programOptions<O extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: O) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return endWithUsage(usage, (error as Error).message);
  }
}

/** Says in one line what is wrong and how the program is called. The exit code is 2, as of wrong calls of the command. */
export function endWithUsage(usage: string, problem: string): never {
  // Node adds advice to some of its messages.
  console.error(`${problem.split(/\.\s/, 1)}; usage: ${usage}`);
  process.exit(2);
}

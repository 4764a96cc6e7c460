/** Options that several commands have, each with its description and parser. */
import { Option } from 'commander';
import * as options from './options.js';

export const LIMIT = [
  '--limit <name=number>',
  'the most that the file may cause, as docs/security.md has it: ratio=4096, tensorBytes=8e9; may be repeated',
  options.limit,
] as const;

export const FORCE = ['--force', 'replace an output that exists'] as const;

export const JSON_OPTION = ['--json', 'write the result as JSON'] as const;

export const WORKERS = [
  '--workers <n>',
  'model files: threads beside the main one (default: by cores and memory; 0 for small models)',
  options.threadCount,
] as const;

/** An option of the program itself, which may follow a command too. */
export const verboseOption = () => new Option('--verbose').hideHelp();

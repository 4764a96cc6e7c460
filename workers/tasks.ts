import { decodeBlockRun } from '../src/hct/blockRun.js';
import { reconstructStep } from '../src/holotensor/reconstructStep.js';
import { reconstructStored } from '../src/holotensor/reconstructStored.js';

/** What a worker can do. A new task is a function somewhere and a line here. */
export const TASKS = { decodeBlockRun, reconstructStep, reconstructStored };

export type TaskName = keyof typeof TASKS;
export type TaskInput<T extends TaskName> = Parameters<(typeof TASKS)[T]>[0];
export type TaskOutput<T extends TaskName> = Awaited<ReturnType<(typeof TASKS)[T]>>['output'];

import type { AbortOptions } from '../src/checks/abortOptions.js';
import { eachBounded } from '../workers/eachBounded.js';
import { objectsOf, readNote, type UnitNote } from './notes.js';
import type { UnitContext } from './unitContext.js';
import { unitObject } from './unitFile.js';
import type { Unit } from './units.js';

const MAX_REQUESTS = 8;

/** The note of a unit whose objects exist. */
export async function findNotedUnit(
  { opened, storage }: Pick<UnitContext, 'opened' | 'storage'>,
  unit: Unit,
  { signal }: AbortOptions,
): Promise<UnitNote | undefined> {
  if (!opened.isVersioned) return undefined;
  const note = await readNote(storage, opened.id, unit, { signal });
  if (note === undefined) return undefined;
  let isWhole = true;
  const look = async (key: string, own: AbortSignal) => {
    if ((await storage.head(unitObject(key), { signal: own })) === undefined) isWhole = false;
  };
  await eachBounded(objectsOf(note), MAX_REQUESTS, look, signal);
  return isWhole ? note : undefined;
}

import type { Anatomy, Seed } from '../target.js';
import { hctSeeds } from './hct.js';
import { hctAnatomy } from './hctAnatomy.js';
import { holoAnatomy } from './holotensorAnatomy.js';
import { holoSeeds } from './holotensorSeeds.js';
import { readU32 } from './numbers.js';

/** Files of one tensor, HCT or HoloTensor, for targets that take both. */

const HCT_MAGIC = 0x4e544348;

export function isHct(bytes: Uint8Array): boolean {
  return readU32(bytes, 0) === HCT_MAGIC;
}

const anatomyOf = (bytes: Uint8Array) => (isHct(bytes) ? hctAnatomy : holoAnatomy);

export const tensorFileAnatomy: Anatomy = {
  split: (input) => anatomyOf(input).split(input),
  join: (parts, sizes) => anatomyOf(parts[0]?.bytes ?? new Uint8Array(0)).join(parts, sizes),
};

/** The first seeds of both formats and of each encoding. */
export async function tensorFileSeeds(): Promise<Seed[]> {
  const [hct, holo] = await Promise.all([hctSeeds(), holoSeeds()]);
  return Object.entries({ hct, ...holo }).flatMap(([format, seeds]) =>
    seeds.slice(0, 4).map((seed) => ({ ...seed, name: `${format}-${seed.name}` })),
  );
}

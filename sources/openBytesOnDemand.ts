/** For what loads it on demand, without what opens URLs: see `openSourceOnDemand.ts`. */
export { blobSource } from './blob.js';
export { openBytes } from './openBytes.js';

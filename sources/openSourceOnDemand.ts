/**
 * `openSource` for what loads it on demand. The build makes one file of it that has all it needs: where a bundler splits
 * code, modules that a page can have without this one would otherwise move into what the page loads at once.
 */
export { openSource } from './openSource.js';

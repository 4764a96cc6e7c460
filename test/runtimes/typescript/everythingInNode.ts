/** And what it adds in Node. */

export * as node from 'holostream/node';
export * from './everything.js';

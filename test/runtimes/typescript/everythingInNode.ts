/** And what it adds in Node. */

export * as bulk from 'holostream/bulk';
export * as node from 'holostream/node';
export * from './everything.js';

/** Where bytes come from. Node's files are in `holostream/node`. */
export {};

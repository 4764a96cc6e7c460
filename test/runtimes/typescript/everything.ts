/** Every type that the package publishes, for a browser. */
export * as main from 'holostream';
export * as operators from 'holostream/operators';
export * as sinks from 'holostream/sinks';
export * as sources from 'holostream/sources';

/** Every type that the package publishes, for a browser. */
import 'holostream/polyfill';

export * as main from 'holostream';
export * as fetch from 'holostream/fetch';
export * as formats from 'holostream/formats';
export * as lean from 'holostream/lean';
export * as minified from 'holostream/min';
export * as onnxruntime from 'holostream/onnxruntime';
export * as operators from 'holostream/operators';
export * as serviceWorker from 'holostream/service-worker';
export * as sinks from 'holostream/sinks';
export * as sources from 'holostream/sources';
export * as tfjs from 'holostream/tfjs';
export * as worker from 'holostream/worker';

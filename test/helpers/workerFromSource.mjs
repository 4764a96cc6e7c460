// The worker script as it stands in src/: loaders that a process was started with do not reach its threads.
import { register } from 'tsx/esm/api';

register();
await import('../../workers/worker.ts');

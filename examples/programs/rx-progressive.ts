/** Shows how a model gets better while it arrives, by observables. Usage: rx-progressive URL */
import { openModel } from 'holostream';
import { distinctUntilChanged, map } from 'rxjs';

const model = await openModel(process.argv[2]!);
const shown = model.progress$
  .pipe(
    map(({ quality }) => Math.floor(10 * quality) / 10),
    distinctUntilChanged(),
  )
  .subscribe((quality) => console.log(`at least ${quality.toFixed(1)}`));
await model.load();
shown.unsubscribe();
await model.close();

import { element } from './element.js';
import { Race } from './race.js';
import { heldOut, SHOWN } from './racer/digitsTask.js';
import { type Lane, lastStep } from './racer/lane.js';
import { sentence } from './sentence.js';
import { formatState, parseState, ZOOMS } from './state.js';
import { TextPanel } from './text/textPanel.js';
import { percent } from './text.js';
import { TensorBars } from './views/bars.js';
import { Chart } from './views/chart.js';
import { Controls } from './views/controls.js';
import { DigitRow } from './views/digits.js';
import { HeatMap, zoomOptions } from './views/heatMap.js';
import { LaneView } from './views/lane.js';
import { OwnModel } from './views/ownModel.js';
import { Pad } from './views/pad.js';
import { foldOnSmallScreens, openByLinks } from './views/panels.js';
import { Timeline } from './views/timeline.js';

/** Digits of each lane: one in ten at least is not recognised at first. */
const IN_LANE = 10;
const FILES = { holo: 'digits.holo.safetensors', plain: 'digits.safetensors' } as const;

const asked = parseState(location.hash);
/** Ends a task of the page: none may be long. */
const nextTask = () => new Promise((resolve) => setTimeout(resolve));

const drawnDigits = heldOut(IN_LANE);
await nextTask();
const samples = drawnDigits.next().value;
await nextTask();
foldOnSmallScreens();
openByLinks();
element('zoom', HTMLSelectElement).append(...zoomOptions(ZOOMS));

const views = {
  holo: new LaneView('holo', samples),
  plain: new LaneView('plain', samples),
};
await nextTask();
const race = new Race(FILES);
const controls = new Controls(asked.rate);
const chart = new Chart();
const timeline = new Timeline();
const grid = new DigitRow(element('digits', HTMLElement), samples);
for (let i = IN_LANE; i < SHOWN; i += IN_LANE) setTimeout(() => grid.add(drawnDigits.next().value), 10 * i);
const own = new OwnModel(asked.file);
/** In the titles of the panels that show a model of the user's. */
const titles = document.querySelectorAll<HTMLElement>('.of');
let ownName = '';
const heat = new HeatMap((request) => inspected().send(request));
const pad = new Pad();
let tensor = asked.tensor;
let url: string | undefined;
const bars = new TensorBars(element('tensors', HTMLElement), (name) => {
  tensor = name;
  draw();
});
heat.zoom = asked.zoom;

await nextTask();
// The page may have been built without it.
const text = document.getElementById('line') === null ? undefined : new TextPanel(asked.line);

race.changes$.subscribe(draw);
for (const runner of [race.holo, race.own]) {
  runner.events$.subscribe((event) => {
    if (event.type === 'view' && runner === inspected()) heat.show(event);
  });
}
race.holo.events$.subscribe((event) => {
  if (event.type === 'scores') pad.show(event.scores);
  if (event.type === 'step') classify();
});
pad.changes$.subscribe(classify);
controls.start$.subscribe(() => start());
controls.pause$.subscribe(() => race.togglePause());
controls.cancel$.subscribe(() => race.cancel());
controls.cut$.subscribe(() => race.cut());
controls.rate$.subscribe((rate) => {
  race.rate = rate;
});
controls.link$.subscribe(copyLink);
own.chosen$.subscribe((file) => {
  tensor = undefined;
  startOwn(file);
});

/** Whose tensors are shown. */
function inspected() {
  return race.lanes.own.status === 'waiting' ? race.holo : race.own;
}

function start(stopAt?: number): void {
  heat.reset();
  url = undefined;
  tensor = asked.tensor;
  race.start(controls.rate, stopAt);
}

function startOwn(file: File | string, stopAt?: number): void {
  url = typeof file === 'string' ? file : undefined;
  ownName = typeof file === 'string' ? nameOf(file) : file.name;
  heat.reset();
  void race.startOwn(file, controls.rate, stopAt);
}

/** The last part of a URL that says something. */
function nameOf(location: string): string {
  return new URL(location, document.baseURI).pathname.split('/').findLast((part) => part !== '') ?? location;
}

function classify(): void {
  const { image } = pad;
  if (image !== undefined) race.holo.send({ type: 'classify', image });
}

function draw(): void {
  const { holo, plain } = race.lanes;
  views.holo.draw(holo);
  views.plain.draw(plain);
  const { lane } = inspected();
  const isOwn = lane === race.lanes.own;
  chart.draw(lane, isOwn ? undefined : plain);
  for (const title of titles) title.textContent = isOwn ? ownName : '';
  own.draw(race.lanes.own);
  timeline.draw(lane);
  const step = lastStep(holo);
  grid.show(step?.answers ?? []);
  element('accuracy', HTMLElement).textContent = step?.accuracy === undefined ? '–' : percent(step.accuracy);
  if (lane.tensors.length > 0 && !lane.tensors.some(({ name }) => name === tensor)) tensor = largest(lane);
  bars.draw(lane, tensor);
  heat.choose(tensor);
  heat.stepped(lane.steps.length, lastStep(lane)?.complete === true);
  controls.show(race.running);
  controls.say(sentence(race.lanes, race.running));
  const sooner = gain();
  element('gain', HTMLElement).textContent = sooner;
  element('gain', HTMLElement).hidden = sooner === '';
}

/** The tensor with the most to see. */
function largest({ tensors }: Lane): string | undefined {
  return [...tensors].sort((a, b) => b.byteLength - a.byteLength)[0]?.name;
}

function gain(): string {
  const { holo, plain } = race.lanes;
  if (holo.right === undefined || plain.right === undefined) return '';
  const times = plain.right.time / holo.right.time;
  return times > 1 ? `${times.toFixed(1)}× sooner` : '';
}

async function copyLink(): Promise<void> {
  const { lane } = inspected();
  const step = lastStep(lane);
  const stopAt = race.running === 'paused' && step !== undefined ? step.bytes / lane.weightBytes : undefined;
  history.replaceState(
    null,
    '',
    formatState({
      ...asked,
      rate: controls.rate,
      stopAt,
      tensor,
      zoom: heat.zoom,
      line: text?.line,
      file: url,
    }),
  );
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  controls.say(copied ? 'The link has been copied.' : 'The link is in the address bar.');
}

addEventListener('resize', draw);
for (const panel of document.querySelectorAll('details')) panel.addEventListener('toggle', draw);
draw();
// Motion that was not asked for waits for a click.
if (matchMedia('(prefers-reduced-motion: reduce)').matches)
  controls.say(
    asked.file === undefined
      ? 'Press Start to begin the race.'
      : 'Press Load to load the model of this link.',
  );
else if (asked.file === undefined) start(asked.stopAt);
else {
  own.reveal();
  startOwn(asked.file, asked.stopAt);
}

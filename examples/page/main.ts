import { element } from './element.js';
import { Race } from './race.js';
import { heldOut, SHOWN } from './racer/digitsTask.js';
import { lastStep } from './racer/lane.js';
import { sentence } from './sentence.js';
import { formatState, parseState, ZOOMS } from './state.js';
import { percent } from './text.js';
import { TensorBars } from './views/bars.js';
import { Chart } from './views/chart.js';
import { Controls } from './views/controls.js';
import { DigitRow } from './views/digits.js';
import { HeatMap, zoomOptions } from './views/heatMap.js';
import { LaneView } from './views/lane.js';
import { Pad } from './views/pad.js';
import { foldOnSmallScreens } from './views/panels.js';
import { Timeline } from './views/timeline.js';

/** Digits of each lane: one in ten at least is not recognised at first. */
const IN_LANE = 10;
const FILES = { holo: 'digits.holo.safetensors', plain: 'digits.safetensors' } as const;

const asked = parseState(location.hash);
const samples = heldOut(SHOWN);
foldOnSmallScreens();
element('zoom', HTMLSelectElement).append(...zoomOptions(ZOOMS));

const views = {
  holo: new LaneView('holo', samples.slice(0, IN_LANE)),
  plain: new LaneView('plain', samples.slice(0, IN_LANE)),
};
const race = new Race(FILES);
const controls = new Controls(asked.rate);
const chart = new Chart();
const timeline = new Timeline();
const grid = new DigitRow(element('digits', HTMLElement), samples);
const heat = new HeatMap((request) => race.holo.send(request));
const pad = new Pad();
let tensor = asked.tensor;
const bars = new TensorBars(element('tensors', HTMLElement), (name) => {
  tensor = name;
  draw();
});
heat.zoom = asked.zoom;

race.changes$.subscribe(draw);
race.holo.events$.subscribe((event) => {
  if (event.type === 'view') heat.show(event);
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

function start(stopAt?: number): void {
  heat.reset();
  race.start(controls.rate, stopAt);
}

function classify(): void {
  const { image } = pad;
  if (image !== undefined) race.holo.send({ type: 'classify', image });
}

function draw(): void {
  const { holo, plain } = race.lanes;
  views.holo.draw(holo);
  views.plain.draw(plain);
  chart.draw(holo, plain);
  timeline.draw(holo);
  const step = lastStep(holo);
  grid.show(step?.answers ?? []);
  element('accuracy', HTMLElement).textContent = step?.accuracy === undefined ? '–' : percent(step.accuracy);
  tensor ??= largest();
  bars.draw(holo, tensor);
  heat.choose(tensor);
  heat.stepped(holo.steps.length, step?.complete === true);
  controls.show(race.running);
  controls.say(sentence(race.lanes, race.running));
  element('gain', HTMLElement).textContent = gain();
}

/** The tensor with the most to see. */
function largest(): string | undefined {
  return [...race.lanes.holo.tensors].sort((a, b) => b.byteLength - a.byteLength)[0]?.name;
}

function gain(): string {
  const { holo, plain } = race.lanes;
  if (holo.right === undefined || plain.right === undefined) return '';
  return `${(plain.right.time / holo.right.time).toFixed(1)}× sooner`;
}

async function copyLink(): Promise<void> {
  const step = lastStep(race.lanes.holo);
  const stopAt =
    race.running === 'paused' && step !== undefined ? step.bytes / race.lanes.holo.weightBytes : undefined;
  history.replaceState(
    null,
    '',
    formatState({ ...asked, rate: controls.rate, stopAt, tensor, zoom: heat.zoom }),
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
if (matchMedia('(prefers-reduced-motion: reduce)').matches) controls.say('Press Start to begin the race.');
else start(asked.stopAt);

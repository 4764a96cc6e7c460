/**
 * `npm run plot:race` runs the race of the demo page in Chromium, and draws what happened: docs/race.svg, which moves as the page
 * did, and examples/page/page.png, the page at its end. On a busy machine, the times are those of a busy machine.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveFolder } from '../examples/demo/server.js';
import { buildPage } from '../examples/page/build.js';
import { launchChromium } from '../test/helpers/engine.js';

const RATE = 50_000;
const TIMEOUT_MS = 120_000;
/** How long the end of the race is seen before it begins again, in seconds. */
const REST = 3;

const WIDTH = 720;
const LANE = 150;
const MARGIN = 24;
const CELL = (WIDTH - 2 * MARGIN) / 10;
const IMAGE = 48;

interface Result {
  readonly name: string;
  readonly title: string;
  /** Seconds until it was right, and until its last byte. */
  readonly right: number;
  readonly end: number;
  /** Part of the bytes of the plain file. */
  readonly part: number;
  readonly answers: readonly string[];
}

const folder = await mkdtemp(join(tmpdir(), 'holostream-race-'));
try {
  await buildPage(folder);
  const { results, images } = await runRace();
  const svg = draw(results, images);
  await writeFile(inFolder('docs/race.svg'), svg);
  console.log(results.map(({ title, right }) => `${title}: right after ${right} s`).join('\n'));
} finally {
  await rm(folder, { recursive: true });
}

function inFolder(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

async function runRace(): Promise<{ results: Result[]; images: string[] }> {
  await using server = await serveFolder(folder, 65_536);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 780 } });
    page.setDefaultTimeout(TIMEOUT_MS);
    await page.goto(`${server.url}#rate=${RATE}`);
    await page.waitForFunction(() => /Every bit/.test(document.querySelector('#status')!.textContent!));
    await page.screenshot({ path: inFolder('examples/page/page.png') });
    const images = await page
      .locator('#holo-digits canvas')
      .evaluateAll((canvases) => canvases.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
    const results: Result[] = [];
    for (const name of ['holo', 'plain']) {
      const text = async (selector: string) => (await page.textContent(`#${name}${selector}`)) ?? '';
      results.push({
        name,
        title: await page
          .locator(`#${name} h2`)
          .evaluate((heading) => heading.firstChild!.textContent!.trim()),
        right: Number.parseFloat((await text('-verdict')).replace(/^\D+/, '')),
        end: Number(await page.getAttribute(`#${name}-verdict`, 'data-time')) / 1000,
        part: await page
          .locator(`#${name}-bar`)
          .evaluate((bar) => new DOMMatrix(getComputedStyle(bar).transform).a),
        answers: await page.locator(`#${name}-digits .answer`).allTextContents(),
      });
    }
    return { results, images };
  } finally {
    await browser.close();
  }
}

function draw(results: readonly Result[], images: readonly string[]): string {
  const length = Math.max(...results.map(({ end }) => end)) + REST;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${results.length * LANE + MARGIN}" role="img">
<title>A race: ${results.map(({ title, right }) => `${title} is right after ${right} s`).join(', ')}</title>
<style>
svg { background: #faf9f6; font: 600 15px system-ui, sans-serif }
text { fill: #565d66 } .track { fill: #eceae4 } use { opacity: .4 }
.bar { transform-box: fill-box; transform-origin: left }
.holo text.mine { fill: #0b6e4f } .holo .bar { fill: #0b6e4f } .plain text.mine { fill: #55627a } .plain .bar { fill: #55627a }
@media (prefers-color-scheme: dark) {
svg { background: #121518 } text { fill: #a6afb9 } .track { fill: #282e34 } use { filter: invert(1) }
.holo text.mine { fill: #4fc79b } .holo .bar { fill: #4fc79b } .plain text.mine { fill: #a7b4cb } .plain .bar { fill: #a7b4cb }
}
.waiting { opacity: 0 } .right use { opacity: 1 }
@media (prefers-reduced-motion: no-preference) {
${results.map((result) => motion(result, length)).join('\n')}
}
</style>
<defs><g id="digits">${images.map(digit).join('')}</g></defs>
${results.map((result, i) => lane(result, i * LANE)).join('\n')}
</svg>
`;
}

function digit(data: string, i: number): string {
  const x = MARGIN + (i + 0.5) * CELL - IMAGE / 2;
  return `<image href="${data}" x="${x.toFixed(1)}" width="${IMAGE}" height="${IMAGE}"/>`;
}

/** Of a loop of this many seconds: what appears and vanishes when the model is right, and a bar that grows until its end. */
function motion({ name, right, end }: Result, length: number): string {
  const at = (seconds: number) => `${((100 * seconds) / length).toFixed(2)}%`;
  return `.${name} .right { animation: ${name}-right ${length.toFixed(1)}s step-end infinite }
.${name} .waiting { animation: ${name}-waiting ${length.toFixed(1)}s step-end infinite }
.${name} .bar { animation: ${name}-bar ${length.toFixed(1)}s linear infinite }
@keyframes ${name}-right { 0% { opacity: 0 } ${at(right)} { opacity: 1 } }
@keyframes ${name}-waiting { 0% { opacity: 1 } ${at(right)} { opacity: 0 } }
@keyframes ${name}-bar { 0% { transform: scaleX(0) } ${at(end)} { transform: scaleX(1) } }`;
}

function lane({ name, title, right, part, answers }: Result, top: number): string {
  const x = (i: number) => (MARGIN + (i + 0.5) * CELL).toFixed(1);
  const row = `<use href="#digits" y="${top + 38}"/>`;
  const read = answers.map(
    (answer, i) => `<text class="mine" x="${x(i)}" y="${top + 106}" text-anchor="middle">${answer}</text>`,
  );
  const end = `x="${WIDTH - MARGIN}" y="${top + 30}" text-anchor="end"`;
  return `<g class="${name}">
<text class="mine" x="${MARGIN}" y="${top + 30}">${title}</text>
<g class="waiting"><text ${end}>no answer yet</text>${row}</g>
<g class="right"><text class="mine" ${end}>right after ${right} s</text>${row}${read.join('')}</g>
<rect class="track" x="${MARGIN}" y="${top + 118}" width="${WIDTH - 2 * MARGIN}" height="9" rx="4.5"/>
<rect class="bar" x="${MARGIN}" y="${top + 118}" width="${((WIDTH - 2 * MARGIN) * part).toFixed(1)}" height="9" rx="4.5"/>
</g>`;
}

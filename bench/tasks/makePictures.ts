/**
 * Draws the pictures that text is read from: 16 lines, each a picture, and 4 pages. The pictures are committed, because fonts
 * and engines differ.
 * usage: node --import tsx bench/tasks/makePictures.ts    (needs /usr/bin/chromium and the DejaVu fonts)
 */
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const FOLDER = new URL('pictures/', import.meta.url).pathname;

const LINES = [
  'The quick brown fox jumps over the lazy dog',
  'Total: 1,284.50 EUR incl. 19 % VAT',
  'Platform 9 to Edinburgh Waverley, 14:35',
  'OPEN MONDAY TO FRIDAY',
  'Invoice No. 2024-0317',
  'Please mind the gap',
  'chapter seven: the long way home',
  'Serial number X7K-4421-QP',
  'Flour, sugar, butter and 3 eggs',
  'Maximum load 630 kg or 8 persons',
  'www.example.org/contact',
  'Boil for 12 minutes, then rest',
  'SPEED LIMIT 50',
  'It was a bright cold day in April',
  'Room 204, second floor',
  'Thank you for your visit!',
] as const;

const FONTS = ['DejaVu Sans', 'DejaVu Serif', 'DejaVu Sans Mono', 'DejaVu Sans Condensed'] as const;
const COLOURS = ['#111 on #fff', '#2a2a44 on #f4efe0', '#fff on #1d5c3a', '#402010 on #e8d8b8'] as const;

const PAGES = [
  `<h1>Station Road Bakery</h1><p>Sourdough loaf 3.20</p><p>Rye bread 2.90</p><p>Cinnamon roll 1.80</p>`,
  `<h2 style="transform:rotate(-4deg)">Lost cat</h2><p>Grey, white paws, answers to Miso.</p><p>Call 555 0134</p>`,
  `<p style="font-size:15px">Terms of use. The visitor keeps to marked paths. Dogs on a lead. No fires.</p>
   <h2>Nature reserve</h2>`,
  `<h1 style="letter-spacing:6px">EXIT</h1><p style="margin-left:220px">to the car park</p><h2>Level 3</h2>`,
] as const;

function style(i: number): string {
  const [ink, paper] = COLOURS[i % COLOURS.length]!.split(' on ');
  const font = FONTS[Math.floor(i / 2) % FONTS.length]!;
  return `font-family: '${font}'; color: ${ink}; background: ${paper}; ${i % 5 === 3 ? 'font-style: italic;' : ''}`;
}

await mkdir(FOLDER, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
  for (const [i, text] of LINES.entries()) {
    await page.setContent(
      `<body style="margin:0"><span id="it" style="display:inline-block;white-space:nowrap;padding:5px 8px;` +
        `font-size:${22 + (i % 3) * 4}px;${style(i)}">${text}</span>`,
    );
    const name = `line-${String(i + 1).padStart(2, '0')}.png`;
    await page.locator('#it').screenshot({ path: FOLDER + name });
  }
  for (const [i, content] of PAGES.entries()) {
    await page.setContent(
      `<body style="margin:0;padding:30px;width:580px;height:420px;${style(i)}">${content}`,
    );
    await page.screenshot({ path: `${FOLDER}page-${i + 1}.png` });
  }
} finally {
  await browser.close();
}

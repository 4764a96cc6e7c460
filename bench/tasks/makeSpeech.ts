/**
 * Speaks what a detector of voices is to find, with pauses, over a little noise: `speech.wav`, 16 kHz. It is committed,
 * because versions of the voice differ.
 * usage: node --import tsx bench/tasks/makeSpeech.ts    (needs espeak-ng)
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../../examples/digits/random.js';
import { RATE, SPEECH } from './speech.js';

const SENTENCES = [
  { voice: 'en-gb', text: 'Good morning. The train to Leeds leaves at nine.', pauseAfter: 0.7 },
  { voice: 'en-us', text: 'Seven eggs, please.', pauseAfter: 0.9 },
] as const;
const PAUSE_BEFORE = 0.6;
/** Deviation of the noise; 1 is the loudest. */
const NOISE = 0.002;
const LOUDNESS = 0.3;

const random = seededRandom(1);
const samples: number[] = [...silence(PAUSE_BEFORE)];
for (const { voice, text, pauseAfter } of SENTENCES)
  samples.push(...speak(voice, text), ...silence(pauseAfter));
const wav = Buffer.alloc(44 + 2 * samples.length);
wav.write('RIFF', 0);
wav.writeUInt32LE(wav.length - 8, 4);
wav.write('WAVEfmt ', 8);
wav.writeUInt32LE(16, 16);
// PCM, one channel.
wav.writeUInt16LE(1, 20);
wav.writeUInt16LE(1, 22);
wav.writeUInt32LE(RATE, 24);
wav.writeUInt32LE(2 * RATE, 28);
wav.writeUInt16LE(2, 32);
wav.writeUInt16LE(16, 34);
wav.write('data', 36);
wav.writeUInt32LE(2 * samples.length, 40);
for (const [i, sample] of samples.entries()) {
  const value = LOUDNESS * sample + NOISE * random.normal();
  wav.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, value))), 44 + 2 * i);
}
writeFileSync(SPEECH, wav);

function silence(seconds: number): number[] {
  return Array<number>(Math.round(seconds * RATE)).fill(0);
}

/** What espeak-ng says, at 22,050 Hz, between two samples by linear interpolation. */
function speak(voice: string, text: string): number[] {
  const wav = execFileSync('espeak-ng', ['-v', voice, '-s', '170', '--stdout', text]);
  const rate = wav.readUInt32LE(24);
  const count = (wav.length - 44) >> 1;
  const at = (i: number) => wav.readInt16LE(44 + 2 * Math.min(i, count - 1)) / 32768;
  return Array.from({ length: Math.floor((count * RATE) / rate) }, (_, i) => {
    const place = (i * rate) / RATE;
    const before = Math.floor(place);
    return at(before) + (place - before) * (at(before + 1) - at(before));
  });
}

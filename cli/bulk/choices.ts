import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { BulkEncodeOptions, BulkModel } from '../../bulk/index.js';
import { placeOf } from '../../sources/place.js';
import { parseJson } from '../../src/bytes/json.js';
import { quote } from '../../src/errors/show.js';
import { FormatError } from '../../src/errors.js';
import { encoderOptions } from '../encode/encoderOptions.js';
import { readImportance } from '../encode/importance.js';
import { UsageError } from '../failure.js';
import type { EncodeOptions } from '../options.js';

/** Options of the commands that say which models are converted, and how. */
export interface ModelChoices
  extends Pick<EncodeOptions, 'encoding' | 'fragments' | 'qualities' | 'keep' | 'order' | 'importance'> {
  readonly to: string;
  readonly output?: string;
  readonly list?: string;
  readonly maxUnitBytes?: number;
}

/** Far more than a million names take. */
const MAX_LIST_BYTES = 2 ** 28;

/** Of models of other formats than safetensors, as `holostream encode` takes them. */
const FOREIGN = /\.(onnx|gguf|npz|pt|pth|ckpt|bin)$/i;

const SUFFIX = '.holo.safetensors';

/** Models of arguments and of `--list`. @throws UsageError, FormatError */
export async function chosenModels(
  sources: readonly string[],
  { output, list }: Pick<ModelChoices, 'output' | 'list'>,
): Promise<BulkModel[]> {
  if (output !== undefined && (sources.length !== 1 || list !== undefined))
    throw new UsageError('--output names the model file of one model');
  const listed = list === undefined ? [] : await readList(list);
  const named = sources.map((source) => ({ sources: [source], output: output ?? outputOf(source) }));
  if (named.length + listed.length === 0) throw new UsageError('Name a model, or a list of models by --list');
  return [...named, ...listed];
}

async function readList(path: string): Promise<BulkModel[]> {
  const what = 'Cannot read the list of models';
  const value = parseJson(await readFile(path), what, MAX_LIST_BYTES, path);
  const isList =
    Array.isArray(value) &&
    value.every((one: Partial<BulkModel> | null) => typeof one?.output === 'string' && isTexts(one.sources));
  if (isList) return value as BulkModel[];
  throw new FormatError(what, { name: path, expected: '[{ "sources": ["…"], "output": "…" }, …]' });
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
}

/** A file that is called as all are called says nothing: its folder does. */
function outputOf(source: string): string {
  const plain = source
    .replace(/^s3:/, 'http:')
    // A revision is no part of the name.
    .replace(/^hf:(?:\/\/)?([^/]+\/[^/@]+)(?:@[^/]+)?/, '$1')
    .replace(/[\\/]+$/, '');
  const { path } = placeOf(plain);
  // The folder of "model.safetensors" has a name, too.
  const { name, folder } = placeOf(path === undefined ? plain : resolve(path));
  const stem = name
    .replace(FOREIGN, '')
    .replace(/(\.safetensors)?(\.index)?(\.json)?$/, '')
    .replace(/\.safetensors$/, '');
  const isCommon = /^(pytorch_)?model(-[\d*?]+-of-[\d*?]+)?$/.test(stem);
  if (!isCommon && /[*?]/.test(stem)) {
    throw new UsageError(
      `${quote(source)} names the shards of one model: give its model file a name by --output, or leave the quotes out for one model per file`,
    );
  }
  const output = isCommon ? basename(folder) || stem : stem || basename(dirname(folder));
  // Its graph, which refers to the decoded weights by their name, is beside them.
  return name.toLowerCase().endsWith('.onnx') ? `${output}/${stem}${SUFFIX}` : `${output}${SUFFIX}`;
}

/** How the models are encoded, in a form that can be sent. */
export async function chosenEncoding(choices: ModelChoices): Promise<BulkEncodeOptions> {
  const { encoding = 'embedded', keep, order, importance, maxUnitBytes } = choices;
  const factors = importance === undefined ? undefined : (await readImportance(importance)).factors;
  return {
    encode: {
      encoding,
      ...encoderOptions(encoding, { ...choices, output: choices.to, blockChecksums: true }),
    },
    keep: keep?.map(({ text }) => text),
    order,
    importance: factors && Object.fromEntries(factors),
    maxUnitBytes,
  };
}

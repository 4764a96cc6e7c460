/** Examples of commands, as their help shows them: a line of what is done, then the command. */
export const EXAMPLES = {
  inspect: [
    ['What is in a file, by path or URL', 'holostream inspect model.holo.safetensors'],
    [
      'A picture of a tensor: heat map, spectrum, curve',
      'holostream inspect model.safetensors --tensor fc1.weight --plot fc1.svg',
    ],
  ],
  verify: [
    ['Check everything, and read the result in a script', 'holostream verify model.holo.safetensors --json'],
  ],
  encode: [
    ['A model, the most useful bytes first', 'holostream encode model.safetensors -o model.holo.safetensors'],
    ['What would become of it', 'holostream encode model.safetensors -o model.holo.safetensors --dry-run'],
    ['Shards, as one model', "holostream encode 'model-*.safetensors' -o model.holo.safetensors"],
    ['One tensor, compressed', 'holostream encode model.safetensors --tensor fc1.weight -o fc1.hct'],
    [
      'Raw bytes, from a pipe to a pipe',
      'cat w.raw | holostream encode - --dtype F32 --shape 64,48 -o - > w.hct',
    ],
  ],
  decode: [
    [
      'The model that was encoded, bit for bit',
      'holostream decode model.holo.safetensors -o model.safetensors',
    ],
    [
      'From its first bytes, as good as this',
      'holostream decode model.holo.safetensors --quality 0.97 -o rough.safetensors',
    ],
    ['One tensor, for NumPy', 'holostream decode fc1.hct -o fc1.npy'],
  ],
  quality: [
    ['What each fragment adds', 'holostream quality model.holo.safetensors'],
    ['The same as a picture', 'holostream quality model.holo.safetensors --plot quality.svg'],
    [
      'Measured against the original',
      'holostream quality fc1.holo --against model.safetensors --tensor fc1.weight',
    ],
  ],
  bench: [
    ['Which encoding for this model', 'holostream bench model.safetensors'],
    ['Only these encodings', 'holostream bench model.safetensors --encoding embedded spectral'],
  ],
  calibrate: [
    [
      'Which tensors matter, by two runs of the network',
      'holostream calibrate model.onnx --samples one.npz two.npz -o importance.json',
    ],
    [
      'The most useful bytes first, by that',
      'holostream encode model.onnx -o streamed/ --importance importance.json',
    ],
  ],
  serve: [
    ['A folder of models, for pages of any origin on this machine', 'holostream serve models/'],
    ['As over a connection of 1 MB/s', 'holostream serve models/ --rate 1e6 --port 8080'],
  ],
  completion: [
    ['bash, for holostream and npx holostream', 'source <(npx holostream completion bash)'],
    ['zsh', 'source <(npx holostream completion zsh)'],
    ['fish', 'npx holostream completion fish | source'],
  ],
  plan: [
    ['What a thousand clients take', 'holostream plan model.holo.safetensors'],
    [
      'A million of them, by the prices of a CDN',
      'holostream plan model.holo.safetensors --clients 1000000 --price-transfer 0.05 --price-requests 0.4',
    ],
  ],
  bulk: [['All commands of a fleet', 'holostream bulk run --help']],
  run: [
    ['Models into a folder', 'holostream bulk run hf:org/one hf:org/two --to models/'],
    [
      'A part of the work, on each of four machines',
      'holostream bulk run --list models.json --to s3://bucket/models --shard 0/4',
    ],
    [
      'The join, when all parts are encoded',
      'holostream bulk run --list models.json --to s3://bucket/models --shard 0/4 --join',
    ],
  ],
  add: [
    [
      'Models into the queue',
      'holostream bulk add hf:org/model --to s3://bucket/models --redis redis://queue:6379',
    ],
    ['The same without a queue, to try it', 'holostream bulk add model.safetensors --to models/ --local'],
  ],
  work: [
    ['Work until a signal', 'holostream bulk work --redis redis://queue:6379'],
    ['Work until the queue is empty', 'holostream bulk work --drain'],
  ],
  status: [['How far it is, for a script', 'holostream bulk status --json']],
  clean: [['What could be deleted', 'holostream bulk clean s3://bucket/models --dry-run']],
} as const satisfies Readonly<Record<string, readonly (readonly [string, string])[]>>;

/** What follows the options of a command in its help. */
export function examplesOf(command: keyof typeof EXAMPLES): string {
  const lines = EXAMPLES[command].flatMap(([what, line]) => [`  # ${what}`, `  ${line}`]);
  return ['', 'Examples:', ...lines].join('\n');
}

/** Longest stem of a file name: with a number and suffix it is within the 255 bytes that most file systems allow. */
const MAX_STEM_LENGTH = 120;

/** Names that Windows reserves for devices, with any text after the first dot. */
const DEVICE_NAMES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * What {@link FileNames} makes, and the only names a manifest may have: no separators, no leading dash, no leading or
 * trailing dot.
 */
const SAFE_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?$/;

/** Longest name that most file systems allow, in bytes; characters have one or more. */
const MAX_NAME_LENGTH = 255;

/** Separators of paths, drives of Windows, control characters, what is no Unicode; dots, dashes and spaces at the ends. */
const NOT_PLAIN = /[/\\\p{Cc}\p{Cs}]|^[a-z]:|^[.\-\s]|[.\s]$/iu;

/**
 * Whether this is the name of a file in a folder, and on no system a path or device: what other programs may call the
 * shards of a model, with spaces and with characters that URLs and some file systems reserve.
 */
export function isPlainFileName(name: string): boolean {
  return name !== '' && name.length <= MAX_NAME_LENGTH && !NOT_PLAIN.test(name) && !DEVICE_NAMES.test(name);
}

/** Whether this is a name that {@link FileNames} can have made: a plain one that every file system allows. */
export function isSafeFileName(name: string): boolean {
  return SAFE_NAME.test(name) && !DEVICE_NAMES.test(name);
}

/**
 * Makes a file name for each tensor of a model: readable, safe on every file system for any tensor name, and different
 * from all earlier ones even if the file system ignores case.
 */
export class FileNames {
  readonly #taken = new Set<string>();
  /** The number to try next, by stem and suffix: many tensors may have the same stem. */
  readonly #numbers = new Map<string, number>();

  /** `suffix` with its dot: ".hct". */
  next(tensorName: string, suffix: string): string {
    const stem = safeStem(tensorName);
    const kind = `${stem}${suffix}`.toLowerCase();
    for (let number = this.#numbers.get(kind) ?? 1; ; number++) {
      const name = `${stem}${number === 1 ? '' : `-${number}`}${suffix}`;
      const folded = name.toLowerCase();
      if (this.#taken.has(folded)) continue;
      this.#taken.add(folded);
      this.#numbers.set(kind, number + 1);
      return name;
    }
  }
}

function safeStem(tensorName: string): string {
  const stem = tensorName.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, MAX_STEM_LENGTH);
  const visible = stem.replace(/^[.-]+/, '_') || '_';
  return DEVICE_NAMES.test(visible) ? `_${visible}` : visible;
}

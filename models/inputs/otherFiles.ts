import { FormatError, UnsupportedError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { isPlainFileName } from '../directory/fileNames.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import { FilePool } from './filePool.js';

/** Files that a model of another format names: one, or thousands, of which those on disk are open while they are read. */
export class OtherFiles {
  readonly #what: string;
  readonly #open: OpenModelFile | undefined;
  readonly #opened = new Map<string, RandomAccessSource>();
  readonly #pool = new FilePool();

  /** @param what begins the sentence of an error: "Cannot read the ONNX model" */
  constructor(what: string, open: OpenModelFile | undefined) {
    this.#what = what;
    this.#open = open;
  }

  /**
   * @param tensor that is in it, for messages
   * @throws FormatError for a name that leads out of the folder; UnsupportedError where no other files can be opened
   */
  async open(location: string, tensor: string | undefined): Promise<RandomAccessSource> {
    const name = location.replace(/^\.\//, '');
    if (!isPlainFileName(name)) {
      throw new FormatError(`${this.#what}: a tensor is in a file that is not beside it`, {
        tensor,
        expected: 'a plain name',
        actual: location,
      });
    }
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const open = this.#open;
    if (open === undefined) {
      throw new UnsupportedError(`${this.#what}: a tensor is in another file (option openBeside)`, {
        tensor,
        actual: name,
      });
    }
    const file = await this.#pool.add(await open(name), () => open(name));
    this.#opened.set(name, file);
    return file;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((file) => file.close?.()));
  }
}

import { access, constants, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AsyncDisposal } from '../platform/closeable.js';
import { pathOf } from '../platform/path.js';
import { patiently, systemReason } from '../platform/systemError.js';
import { asBytes } from '../src/bytes/binary.js';
import { check, checkOptions, flag, type Rules, wholeNumber } from '../src/checks/options.js';
import { ArgumentError, SinkError } from '../src/errors.js';
import type { SeekableSink } from '../src/source.js';
import { leftoversOf, removed, temporaryPath } from './leftovers.js';

/** What one call of the operating system writes at most: Node refuses 2 GiB and more. */
const MAX_WRITE = 2 ** 30;

/** A sink that an `await using` block ends automatically: it aborts the sink unless it was closed. */
export interface FileSink extends SeekableSink, AsyncDisposal {}

/** How {@link fileSink} ends a file. */
export interface FileSinkOptions {
  /** Wait until the disk has the bytes before the file gets its name. Default true. */
  readonly flush?: boolean | undefined;
}

const RULES: Rules<FileSinkOptions> = { flush: flag };

/**
 * A file on disk (Node), written beside its place under a temporary name and renamed by `close`: at every moment
 * the path holds the old file or the whole new one. Several writers to one path do not disturb each other; the
 * last to close wins. `abort`, and a `close` that fails, leave nothing behind; what a killed process leaves,
 * `removeLeftovers` deletes.
 *
 * The bytes are flushed to the disk before the rename: without it a crash of the machine could leave an empty file
 * where the old one was (a rename may reach the disk before the data do). The folder is not flushed: a rename
 * that is lost leaves the old file, which is as whole as the new one.
 *
 * @example
 * const source = httpSource('https://example.org/model/fc1.weight.hct');
 * await source.stream().pipeTo(sinkStream(await fileSink('copy.hct')));
 *
 * @throws SinkError when the folder cannot be written to, or the path has a file that is read-only; ArgumentError when the path exists and is not a regular file
 */
export async function fileSink(path: string | URL, options: FileSinkOptions = {}): Promise<FileSink> {
  const { flush = true } = checkOptions(options, RULES);
  const target = await resolveTarget(path);
  await assertReplaceable(target);
  const temporary = temporaryPath(target, 'tmp');
  const handle = await open(temporary, 'wx').catch(async (cause) => {
    throw new SinkError(`Cannot create the file${await whyNotMade(target, cause)}`, { name: target, cause });
  });
  let isOpen = true;
  const discard = async () => {
    await handle.close().catch(() => {});
    // What cannot be deleted is a leftover, as that of a killed process.
    await rm(temporary, { force: true }).catch(() => {});
  };
  const abort = async () => {
    if (!isOpen) return;
    isOpen = false;
    await discard();
  };
  return {
    async write(input, position) {
      const bytes = asBytes(input);
      check('position', position, wholeNumber());
      if (!isOpen) throw new ArgumentError('Cannot write to the file: it is closed', { name: target });
      await writeAll(handle, bytes, position).catch((cause) => {
        const what = `Cannot write to the file${systemReason(cause)}`;
        throw new SinkError(what, { name: target, offset: position, cause });
      });
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      try {
        if (flush) await handle.sync();
        await handle.close();
        await patiently(() => rename(temporary, target));
      } catch (cause) {
        await discard();
        throw new SinkError(`Cannot finish the file${systemReason(cause)}`, { name: target, cause });
      }
    },
    abort,
    [Symbol.asyncDispose]: abort,
  };
}

/**
 * Deletes the temporary files that killed processes have left beside a path (Node): those of {@link fileSink}, and of all
 * that writes by it. Files of running processes, of other machines, and those that cannot be deleted, stay.
 *
 * @example
 * console.log(await removeLeftovers('model.holo.safetensors'));
 *
 * @returns the paths that were deleted
 * @throws ArgumentError when the path exists and is not a regular file
 */
export async function removeLeftovers(path: string | URL): Promise<string[]> {
  const found: string[] = [];
  for (const file of await leftoversOf(await resolveTarget(path), 'tmp')) {
    if (await removed(file)) found.push(file);
  }
  return found;
}

/** Follows links, so that the file they lead to is replaced and not the link. */
async function resolveTarget(place: string | URL): Promise<string> {
  const path = pathOf(place);
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  // Renaming over a device such as /dev/null would replace it for all programs.
  if (existing !== undefined && !existing.isFile()) {
    throw new ArgumentError('Cannot write a file here: the path is not a regular file', { name: path });
  }
  return target;
}

/** A rename would replace even a read-only file. @throws SinkError */
async function assertReplaceable(target: string): Promise<void> {
  await access(target, constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return;
    const reason = cause.code === 'EACCES' ? ': it is read-only' : systemReason(cause);
    throw new SinkError(`Cannot replace the file${reason}`, { name: target, cause });
  });
}

/** Why a file or folder could not be made, to be put behind a sentence. The system says of both cases "no such file". */
export async function whyNotMade(path: string, cause: unknown): Promise<string> {
  const parent = await stat(dirname(path)).catch(() => undefined);
  return systemReason(
    cause,
    parent?.isDirectory() ? 'nothing can be made in its folder' : 'its folder does not exist',
  );
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const part = Math.min(MAX_WRITE, bytes.length - done);
    const { bytesWritten } = await handle.write(bytes, done, part, position + done);
    done += bytesWritten;
  }
}

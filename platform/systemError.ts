/** What errors of file systems mean, by their codes, which are the same on all systems. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission',
  EBUSY: 'it is in use',
  EDQUOT: 'the quota of this user is used up',
  EEXIST: 'something else is in its place',
  EFBIG: 'it is larger than the file system, or a limit of this process, allows',
  EIO: 'the device has failed',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'this process has too many open files',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'the system has too many open files',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a folder',
  ENOTEMPTY: 'something else is in its place',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ESTALE: 'the network file system no longer has it',
  ETXTBSY: 'it is in use',
};

/**
 * Why a file or folder could not be used, to be put behind a sentence: ": the disk is full". Empty for errors that are not
 * known.
 * @param missing the reason where the system says that there is no such file: of what is created, it means its folder
 */
export function systemReason(error: unknown, missing = 'it does not exist'): string {
  const code = String((error as { readonly code?: unknown } | null | undefined)?.code);
  if (code === 'ENOENT') return `: ${missing}`;
  return Object.hasOwn(REASONS, code) ? `: ${REASONS[code]}` : '';
}

/** Milliseconds before the attempts after the first: 2 s in all. */
const DELAYS = [10, 30, 60, 100, 200, 400, 1200];

/**
 * Works with a file, and tries again where the system says that its path is in use: on Windows, a virus scanner or an
 * indexer may have a new file open for a moment.
 */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const delay of DELAYS) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (code !== 'EPERM' && code !== 'EBUSY') throw error;
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
  return work();
}

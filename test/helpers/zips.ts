/** Writes zip archives: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
import { crc32, deflateRawSync } from 'node:zlib';
import { concatBytes } from './bytes.js';

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isDeflated?: boolean;
  /** Says so, whatever it is. */
  readonly crc32?: number;
}

/** @param listed indices of the files in the directory: some more than once, so that they share bytes */
export function zipOf(files: readonly ZipFile[], listed: readonly number[] = [...files.keys()]): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: { readonly name: Uint8Array; readonly fields: Uint8Array; readonly offset: number }[] = [];
  let at = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const stored = file.isDeflated ? new Uint8Array(deflateRawSync(file.bytes)) : file.bytes;
    const sum = file.crc32 ?? crc32(file.bytes);
    // Version, flags, method, time and date, CRC-32, sizes, length of the name, and of the extra field.
    const fields = concatBytes([
      ...[u16(20), u16(0), u16(file.isDeflated ? 8 : 0), u32(0), u32(sum)],
      ...[u32(stored.length), u32(file.bytes.length), u16(name.length), u16(0)],
    ]);
    entries.push({ name, fields, offset: at });
    const local = concatBytes([u32(0x04034b50), fields, name, stored]);
    parts.push(local);
    at += local.length;
  }
  const directory = concatBytes(
    listed.map((file, i) => {
      const { name, fields, offset } = entries[file]!;
      // Another name for each: the first letter.
      const own = name.slice();
      if (listed.indexOf(file) < i) own[0] = 0x41 + i;
      return concatBytes([u32(0x02014b50), u16(20), fields, new Uint8Array(10), u32(offset), own]);
    }),
  );
  const end = [
    u32(0x06054b50),
    u32(0),
    u16(listed.length),
    u16(listed.length),
    u32(directory.length),
    u32(at),
    u16(0),
  ];
  return concatBytes([...parts, directory, ...end]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value, value >> 8);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

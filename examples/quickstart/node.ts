import { HctReader, HctWriter, viewBytes } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';

// Compress a tensor into a file.
const weights = new Float32Array(512 * 768).map(() => Math.random() - 0.5);
const sink = await fileSink('weights.hct');
const writer = new HctWriter(sink, { dtype: 'F32', shape: [512, 768], algorithm: 'zstd' });
await writer.write(viewBytes(weights));
const { originalSize, fileSize } = await writer.close();
console.log(originalSize, '->', fileSize, 'bytes');

// Read four rows. Only the blocks that hold them are read from the disk.
const file = await fileSource('weights.hct');
const reader = await HctReader.open(file);
const rows = await reader.readRows(100, 104);
await file.close();
console.log(rows.shape, rows.data[0] === weights[100 * 768]);

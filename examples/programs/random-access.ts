/** Reads some rows of a compressed tensor: only the blocks that hold them. Usage: random-access FILE FROM TO */
import { HctReader } from 'holostream';
import { fileSource } from 'holostream/node';

const [file = '', from = '0', to = '1'] = process.argv.slice(2);
await using source = await fileSource(file);
const reader = await HctReader.open(source);
const { shape, data } = await reader.readRows(Number(from), Number(to));
console.log(shape.join('×'), data.length);

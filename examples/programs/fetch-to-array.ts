/** Reads a tensor from a web server into a typed array. Usage: fetch-to-array URL */
import { collectTensor } from 'holostream';

const { dtype, shape, data } = await collectTensor(await fetch(process.argv[2]!));
console.log(dtype, shape.join('×'), 'first element', data[0]);

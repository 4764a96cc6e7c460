/** Prints what `@huggingface/gguf` reads of a GGUF file. */
import { gguf } from '@huggingface/gguf';

const { metadata, tensorInfos, tensorDataOffset } = await gguf(process.argv[2], { allowLocalFile: true });
const text = (_, value) => (typeof value === 'bigint' ? `${value}` : value);
console.log(JSON.stringify({ metadata, tensors: tensorInfos, offset: tensorDataOffset }, text));

/** The start of a safetensors file with this JSON, whatever it says. */
export function safetensorsOf(json: string | object | Uint8Array): Uint8Array {
  const text =
    json instanceof Uint8Array
      ? json
      : new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/**
 * Counts the memory that the product requests in buffers, touched or not: what a bad input can make a reader allocate.
 * Install it before the product is loaded. Memory of other objects is bounded by the heap of the process.
 */

const CONSTRUCTORS = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

type Construct = new (...args: unknown[]) => object;

let requested = 0;

/** Bytes that have been requested since the last call. */
export function takeRequested(): number {
  const bytes = requested;
  requested = 0;
  return bytes;
}

export function countAllocations(): void {
  for (const name of CONSTRUCTORS) {
    const original = globalThis[name] as unknown as Construct & { readonly BYTES_PER_ELEMENT?: number };
    const proxy: Construct = new Proxy(original, {
      construct(target, args: unknown[], newTarget) {
        requested += bytesOf(args[0], target.BYTES_PER_ELEMENT ?? 1);
        return Reflect.construct(target, args, newTarget === proxy ? target : newTarget) as object;
      },
    });
    Object.defineProperty(globalThis, name, { value: proxy, configurable: true, writable: true });
  }
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (pages) {
    requested += 65536 * pages;
    return grow.call(this, pages);
  };
}

/** What a constructor allocates: nothing for a view of a buffer. */
function bytesOf(first: unknown, elementSize: number): number {
  if (typeof first === 'number') return first * elementSize;
  if (first instanceof ArrayBuffer || first instanceof SharedArrayBuffer) return 0;
  const length = (first as { readonly length?: number } | undefined)?.length;
  return typeof length === 'number' ? length * elementSize : 0;
}

/**
 * `AsyncDisposable` if the compiler's library has it, otherwise nothing. Published types use it, so that they compile
 * with libraries older than `await using`.
 */
export type AsyncDisposal = SymbolConstructor extends { readonly asyncDispose: infer S extends symbol }
  ? { [K in S]: () => Promise<void> }
  : object;

/** An object with files or connections, which `close` or the end of an `await using` block releases. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class implements what the interface declares
export abstract class Closeable {
  abstract close(): Promise<void>;

  /** @internal Published only as a part of {@link AsyncDisposal}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface Closeable extends AsyncDisposal {}

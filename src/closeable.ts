/**
 * `AsyncDisposable` where the compiler's library has it, and nothing elsewhere. Published types use it instead: they
 * compile with libraries older than `await using`, too.
 */
export type AsyncDisposal = SymbolConstructor extends { readonly asyncDispose: infer S extends symbol }
  ? { [K in S]: () => Promise<void> }
  : object;

/** What holds files or connections: released by `close`, or at the end of an `await using` block. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class has what the interface declares
export abstract class Closeable {
  abstract close(): Promise<void>;

  /** @internal Published as a part of {@link AsyncDisposal} only. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface Closeable extends AsyncDisposal {}

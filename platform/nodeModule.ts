/** The modules of Node that files and hashes need. */
interface NodeModules {
  readonly 'node:crypto': typeof import('node:crypto');
  readonly 'node:fs/promises': typeof import('node:fs/promises');
  readonly 'node:path': typeof import('node:path');
  readonly 'node:url': typeof import('node:url');
}

/**
 * A module of Node where there is one: in Node, Deno and Bun. Without an import, because bundlers for browsers would look
 * for it.
 */
export function nodeModule<M extends keyof NodeModules>(name: M): NodeModules[M] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.(name) as NodeModules[M] | undefined;
}

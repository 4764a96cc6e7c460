/**
 * Bytes in memory that no other thread shares: `Uint8Array<ArrayBuffer>`, written so that compilers before TypeScript
 * 5.7, to which `Uint8Array` is not generic, read published types as well.
 */
export type OwnBytes = ReturnType<Uint8Array['slice']>;

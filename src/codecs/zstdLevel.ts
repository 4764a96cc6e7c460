/** libzstd's own default (ZSTD_CLEVEL_DEFAULT). */
export const DEFAULT_ZSTD_LEVEL = 3;

/** What every command is given beside its arguments. */
export interface CommandContext {
  /** Aborted by Ctrl-C: whoever writes a file takes it away again. */
  readonly signal: AbortSignal;
}

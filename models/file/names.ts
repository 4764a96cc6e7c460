/** Names of a tensor's pieces in a model file. */

export function headerName(tensor: string): string {
  return `${tensor}#header`;
}

export function fragmentName(tensor: string, fragment: number): string {
  return `${tensor}#${fragment}`;
}

/** The tensors whose pieces could be taken for these: a model that has `w#0` must not have its `w` cut. */
export function clashingNames(names: Iterable<string>): ReadonlySet<string> {
  const clashing = new Set<string>();
  for (const name of names) {
    const base = /^(.*)#(?:header|\d+)$/s.exec(name)?.[1];
    if (base !== undefined) clashing.add(base);
  }
  return clashing;
}

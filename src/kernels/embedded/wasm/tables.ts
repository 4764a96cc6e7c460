/** For each mask of eight bytes, where each of them comes from: the bytes of those set come one behind the other. */
export const SPREADS: Uint8Array = Uint8Array.from({ length: 8 << 8 }, (_, index) => {
  const mask = index >> 3;
  const place = index & 7;
  if (((mask >> place) & 1) === 0) return 0xff;
  let before = 0;
  for (let i = 0; i < place; i++) before += (mask >> i) & 1;
  return before;
});

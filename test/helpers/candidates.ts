/** What callers without TypeScript may pass, with the types that `publicCalls.ts` compares with those of parameters. */

export const nothing = null;
export const missing = undefined;
export const text: string = 'text';
export const number: number = 2.5;
export const yes: boolean = true;
export const big: bigint = 7n;
export const symbol: symbol = Symbol('symbol');
export const emptyObject = {};
export const emptyArray: never[] = [];
export const arrayOfNothing: null[] = [null];
export const callback = (): undefined => undefined;
export const doubles: Float64Array = Float64Array.of(1, 2);
export const promise: Promise<never> = new Promise<never>(() => {});

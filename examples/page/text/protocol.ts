/** What the page and the worker of the text panel say to each other. */

/** Parts of the bytes after which the line is read. */
export const PARTS = [0.05, 0.1, 0.15, 1] as const;

/** Where the weights of the graph are: all else of its file is in `text.graph.bin`. */
export interface GraphPlaces {
  readonly size: number;
  readonly weights: readonly { readonly name: string; readonly offset: number; readonly length: number }[];
}

/** A line of text as the network takes it: channels blue, green, red, from −1 to 1, 48 pixels high. */
export interface Picture {
  readonly data: Float32Array;
  readonly width: number;
}

export type TextRequest =
  | { readonly type: 'start'; readonly base: string; readonly rate: number }
  | { readonly type: 'line'; readonly picture: Picture };

export type TextEvent =
  /** The weights after a part of the bytes: its number in {@link PARTS}, and what it came to. */
  | {
      readonly type: 'part';
      readonly number: number;
      readonly bytes: number;
      readonly part: number;
      readonly time: number;
    }
  | { readonly type: 'text'; readonly number: number; readonly text: string }
  | { readonly type: 'received'; readonly bytes: number; readonly weightBytes: number }
  | { readonly type: 'failed'; readonly message: string };

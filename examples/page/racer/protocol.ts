/** What the page and the worker of a racer say to each other. */

export interface StartRequest {
  readonly type: 'start';
  /** An absolute URL, or the file itself. */
  readonly file: string | Blob;
  readonly rate: number;
  /** The digits model also classifies images after each step. */
  readonly task: 'digits' | 'none';
  /** Part of the bytes of the weights at which to pause. */
  readonly stopAt?: number | undefined;
}

/** Which cells of a tensor to show, as parts of its width and height. */
export interface ViewRequest {
  readonly type: 'view';
  readonly tensor: string;
  readonly left: number;
  readonly top: number;
  readonly zoom: number;
  /** Which state to show: the number of a step. Default: the latest. */
  readonly step?: number | undefined;
  /** The numbers themselves, or what they differ from the latest by. */
  readonly shows: 'values' | 'error';
}

export type RacerRequest =
  | StartRequest
  | ViewRequest
  | { readonly type: 'rate'; readonly rate: number }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'cancel' }
  | { readonly type: 'cut' }
  | { readonly type: 'classify'; readonly image: Float32Array };

export interface TensorSummary {
  readonly name: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** What a quality is: a cosine similarity with the original, one that the file only predicts, or the part of the elements. */
export type Measure = 'cosine' | 'predicted' | 'elements';

/** The model at one moment. */
export interface Step {
  /** Milliseconds since the start. */
  readonly time: number;
  /** Bytes of the file up to the end of the last fragment. */
  readonly bytes: number;
  /** Bytes that the connection had brought. */
  readonly received: number;
  /** See {@link Measure}. */
  readonly quality: number;
  /** Part of the held-out images that it names right. */
  readonly accuracy: number | undefined;
  /** What it takes the first of them for. */
  readonly answers: readonly number[];
  readonly complete: boolean;
}

/** A fragment that was decoded. */
export interface FragmentMark {
  readonly tensor: string;
  readonly time: number;
  /** Of the tensor with it, see {@link Measure}. */
  readonly quality: number;
}

/** A part of a tensor as cells, each the largest in magnitude of the elements it stands for. */
export interface View {
  readonly tensor: string;
  readonly columns: number;
  readonly rows: number;
  readonly cells: Float32Array;
  /** The magnitude that only one in a hundred exceeds, of the whole tensor. */
  readonly range: number;
  /** Elements by value, from −range to range; the outermost have those beyond it. */
  readonly counts: readonly number[];
  /** Norm of the difference from the latest state, by its norm. */
  readonly error: number;
  readonly shows: 'values' | 'error';
}

export type RacerEvent =
  | { readonly type: 'ready' }
  /** A file of the user's can be streamed now. */
  | { readonly type: 'prepared' }
  | {
      readonly type: 'opened';
      readonly fileSize: number;
      /** Of the elements of all tensors. */
      readonly weightBytes: number;
      readonly tensors: readonly TensorSummary[];
      readonly measure: Measure;
      /** At its end, every bit is that of the original. */
      readonly exact: boolean;
    }
  | { readonly type: 'received'; readonly bytes: number; readonly time: number }
  | { readonly type: 'fragments'; readonly marks: readonly FragmentMark[] }
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'stopped' }
  | { readonly type: 'retry'; readonly time: number }
  | { readonly type: 'done'; readonly time: number }
  | { readonly type: 'cancelled' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'scores'; readonly scores: Float32Array }
  | ({ readonly type: 'view' } & View);

/**
 * What is used of optional peers, which are not installed here: `test/runtimes/bulk` runs it with the packages themselves.
 */

declare module '@aws-sdk/client-s3' {
  export class S3Client {
    constructor(config: {
      readonly forcePathStyle?: boolean;
      readonly maxAttempts?: number;
      readonly requestChecksumCalculation?: 'WHEN_REQUIRED';
      readonly responseChecksumValidation?: 'WHEN_REQUIRED';
    });
    send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  }
  interface Command {
    new (input: object): object;
  }
  export const AbortMultipartUploadCommand: Command;
  export const CompleteMultipartUploadCommand: Command;
  export const CreateMultipartUploadCommand: Command;
  export const DeleteObjectCommand: Command;
  export const GetObjectCommand: Command;
  export const HeadObjectCommand: Command;
  export const ListMultipartUploadsCommand: Command;
  export const ListObjectsV2Command: Command;
  export const ListPartsCommand: Command;
  export const PutObjectCommand: Command;
  export const UploadPartCommand: Command;
}

declare module 'bullmq' {
  interface Connection {
    readonly url: string;
    readonly maxRetriesPerRequest: null;
    readonly retryStrategy: (times: number) => number | null;
  }
  interface JobOptions {
    readonly jobId?: string;
    readonly attempts?: number | undefined;
    readonly backoff?:
      | { readonly type: 'exponential'; readonly delay: number; readonly jitter?: number }
      | undefined;
    readonly priority?: number | undefined;
    readonly removeOnComplete?: boolean | { readonly age: number; readonly count: number };
    readonly removeOnFail?: boolean;
    readonly failParentOnFailure?: boolean;
    readonly parent?: { readonly id: string; readonly queue: string };
  }
  export interface Job<Data, Result> {
    readonly id?: string;
    readonly data: Data;
    readonly opts: JobOptions;
    readonly attemptsMade: number;
    readonly failedReason?: string;
    readonly progress: unknown;
    readonly queueQualifiedName: string;
    readonly returnvalue: Result | null;
    getState(): Promise<string>;
    getDependenciesCount(): Promise<{
      readonly processed?: number;
      readonly unprocessed?: number;
      readonly failed?: number;
    }>;
    getDependencies(options: {
      readonly processed: { readonly cursor: number; readonly count: number };
    }): Promise<{
      readonly processed?: Readonly<Record<string, unknown>>;
      readonly nextProcessedCursor?: number;
    }>;
    moveToDelayed(timestamp: number, token?: string): Promise<void>;
    moveToWait(token?: string): Promise<number>;
    moveToWaitingChildren(token?: string): Promise<boolean>;
    remove(options?: { readonly removeChildren: boolean }): Promise<void>;
    updateData(data: Data): Promise<void>;
    updateProgress(progress: object): Promise<void>;
  }
  interface Client {
    defineCommand(name: string, definition: { readonly numberOfKeys: number; readonly lua: string }): void;
    runCommand(name: string, args: readonly unknown[]): Promise<unknown>;
  }
  export class Queue<Data, Result> {
    constructor(name: string, options: { readonly connection: Connection });
    readonly client: Promise<Client>;
    waitUntilReady(): Promise<unknown>;
    on(event: 'error', heard: (error: Error) => void): this;
    addBulk(
      jobs: readonly { readonly name: string; readonly data: Data; readonly opts: JobOptions }[],
    ): Promise<unknown>;
    getJob(id: string): Promise<Job<Data, Result> | undefined>;
    getJobs(
      states: readonly string[],
      start: number,
      end: number,
    ): Promise<(Job<Data, Result> | undefined)[]>;
    getJobCounts(...states: readonly string[]): Promise<Readonly<Record<string, number>>>;
    close(): Promise<void>;
    disconnect(): Promise<void>;
  }
  export class FlowProducer {
    constructor(options: { readonly connection: Connection });
    on(event: 'error', heard: (error: Error) => void): this;
    add(flow: {
      readonly name: string;
      readonly queueName: string;
      readonly data: unknown;
      readonly opts: JobOptions;
      readonly children: readonly {
        readonly name: string;
        readonly queueName: string;
        readonly data: unknown;
        readonly opts: JobOptions;
      }[];
    }): Promise<unknown>;
    close(): Promise<void>;
  }
  export class Worker<Data, Result> {
    constructor(
      name: string,
      processor: (job: Job<Data, Result>, token?: string) => Promise<Result>,
      options: {
        readonly connection: Connection;
        readonly concurrency: number;
        readonly lockDuration: number;
        readonly stalledInterval: number;
        readonly maxStalledCount: number;
      },
    );
    on(event: 'error', heard: (error: Error) => void): this;
    on(event: 'active' | 'completed', heard: () => void): this;
    waitUntilReady(): Promise<unknown>;
    close(force?: boolean): Promise<void>;
  }
  export class UnrecoverableError extends Error {}
  export class DelayedError extends Error {}
  export class WaitingError extends Error {}
  export class WaitingChildrenError extends Error {}
}

/** Used by bullmq. */
declare module 'ioredis' {}

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
  export const ListPartsCommand: Command;
  export const PutObjectCommand: Command;
  export const UploadPartCommand: Command;
}

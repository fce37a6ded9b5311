import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3';
import { answerError, answerXml, escapeXml, unescapeXml } from './s3-answers.ts';

/**
 * Deletes only some objects of a batch, and answers which. The request is signed, so the proxy makes a smaller one, with
 * its own credentials.
 * @param share of the objects that are not deleted, 0 to 1; at least one
 */
export async function deletePart(
  incoming: IncomingMessage,
  response: ServerResponse,
  backend: S3Client,
  share: number,
): Promise<void> {
  const body = Buffer.concat(await incoming.toArray()).toString();
  const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
  const bucket = new URL(incoming.url ?? '', 'http://any').pathname.split('/')[1] ?? '';
  const keptCount = Math.max(1, Math.ceil(keys.length * share));
  const [kept, toDelete] = [keys.slice(0, keptCount), keys.slice(keptCount)];
  try {
    if (toDelete.length > 0) {
      const Delete = { Objects: toDelete.map((Key) => ({ Key })), Quiet: true };
      await backend.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
    }
  } catch {
    return answerError(response, 500, { code: 'InternalError', message: 'the batch failed' });
  }
  const errors = kept.map(
    (key) =>
      `<Error><Key>${escapeXml(key)}</Key><Code>InternalError</Code><Message>kept by the fault proxy</Message></Error>`,
  );
  answerXml(response, 200, `<DeleteResult>${errors.join('')}</DeleteResult>`);
}

/** @param endpoint URL of the backend; the credentials are those of the SDK's environment variables */
export function ownClient(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
}

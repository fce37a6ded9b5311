import { badAnswer } from '../../object-store/failures.ts';
import type { TransportAnswer } from '../../object-store/transport/http-transport.ts';
import { isPage } from './sdk-faults.ts';

/** More than the tags of a page of 1,000 keys, however much a service writes of each. */
const MOST_TAGS = 100_000;
const TAG = 0x3c;

/**
 * Throws unless the answer acknowledges a PUT: it has an ETag, the checksum of our bytes if it has one, and nothing that S3
 * does not send. After a page of a proxy the object may be there or not, as after no answer.
 * @param checksum of the body, base64 of its SHA-256
 */
export function proveStored(answer: TransportAnswer, checksum: string): void {
  proveObject(answer);
  // Web servers send weak ETags with pages; S3 never does.
  if (answer.headers.etag?.startsWith('W/')) throw bad(answer, 'with a weak ETag');
  if (!answer.sent) throw bad(answer, 'before all bytes of a PUT were sent');
  if ((answer.body as Buffer).length > 0) throw bad(answer, 'with a body after a PUT');
  const stored = answer.headers['x-amz-checksum-sha256'];
  if ((stored ?? checksum) !== checksum) throw bad(answer, 'with the checksum of other bytes after a PUT');
}

/** Throws unless the answer is about an object in S3. */
function proveObject(answer: TransportAnswer): void {
  provePlain(answer);
  if ((answer.headers.etag ?? '') === '') throw bad(answer, 'without an ETag');
}

/** The same for an object that can be read, which has a size. */
export function proveReadable(answer: TransportAnswer): void {
  proveObject(answer);
  if (!/^\d+$/.test(answer.headers['content-length'] ?? '')) throw bad(answer, 'without a Content-Length');
}

/** Throws unless the answer acknowledges a delete. It has no body, but a proxy's page may have any status of success. */
export function proveDeleted({ statusCode, body }: TransportAnswer): void {
  if (statusCode === 204) return;
  if (statusCode === 200 && Buffer.isBuffer(body) && body.length === 0) return;
  throw badAnswer(`an answer of status ${statusCode}, with a body, to a delete`);
}

/** Throws unless the body is a whole XML document with this root, and small. The parser takes a cut document for a whole one. */
export function proveDocument(answer: TransportAnswer, root: string): void {
  provePlain(answer);
  const body = answer.body as Buffer;
  const text = body.subarray(0, 1_024).toString();
  const begins = new RegExp(`^\\uFEFF?\\s*(<\\?xml[^>]*>\\s*)?<${root}[\\s/>]`).test(text);
  if (!begins) throw bad(answer, `without a ${root}`);
  const end = body.subarray(-1_024).toString().trimEnd();
  if (!end.endsWith(`</${root}>`) && !/^\uFEFF?\s*(<\?xml[^>]*>\s*)?<[^<>]*\/>$/.test(end)) {
    throw bad(answer, `a ${root} that is cut off`);
  }
  if (hasTooManyTags(body)) throw bad(answer, `a ${root} that is too large`);
}

export function isDocument(answer: TransportAnswer, root: string): boolean {
  try {
    proveDocument(answer, root);
    return true;
  } catch {
    return false;
  }
}

function provePlain(answer: TransportAnswer): void {
  if (answer.statusCode !== 200 || isPage(answer.headers)) throw bad(answer);
}

function hasTooManyTags(body: Buffer): boolean {
  let count = 0;
  for (let at = body.indexOf(TAG); at >= 0; at = body.indexOf(TAG, at + 1)) count += 1;
  return count > MOST_TAGS;
}

/** Describes the answer too, so that it can be found out which server sent it. */
function bad({ statusCode, headers }: TransportAnswer, fault?: string): Error {
  const { 'content-type': type = '', server = '', via = '' } = headers;
  const by = [server, via].filter((each) => each !== '').join(', ');
  const parts = [`${statusCode}`, type, by === '' ? '' : `from ${by}`].filter((part) => part !== '');
  return badAnswer(parts.join(' ').slice(0, 200) + (fault === undefined ? '' : `, ${fault}`));
}

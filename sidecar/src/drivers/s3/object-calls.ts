import type { Readable } from 'node:stream';
import type { ObjectAnswer, ObjectHead } from '../object-store/object-store-client.ts';
import { answerBody } from '../object-store/transport/answer-body.ts';
import type { TransportAnswer } from '../object-store/transport/http-transport.ts';
import { proveReadable, proveStored } from './answers/answer-proof.ts';
import { faultOf } from './answers/sdk-faults.ts';
import type { S3Client } from './s3-client.ts';
import type { ObjectVerb, SignedRequests } from './signing/signed-requests.ts';

/** Until the head of an answer for which the service may have much to do. */
export const LONG_WORK_MS = 30_000;

/** Resolves with an error of which `faultOf` knows what the answer says. */
type ReadRefusal = (verb: ObjectVerb, key: string, answer: TransportAnswer) => Promise<unknown>;

/** PUT, HEAD and GET of `S3Client`: what is asked, and what the answers mean. */
export class ObjectCalls implements Pick<S3Client, 'put' | 'head' | 'get'> {
  readonly #requests: SignedRequests;
  readonly #refusal: ReadRefusal;

  constructor(requests: SignedRequests, refusal: ReadRefusal) {
    this.#requests = requests;
    this.#refusal = refusal;
  }

  async put(...[key, body, { size, digest }, { ifAbsent, signal }]: Parameters<S3Client['put']>) {
    const sha256 = Buffer.from(digest.slice('sha256:'.length), 'hex');
    const verb = ifAbsent ? 'create' : 'overwrite';
    const put = { body, size, sha256 };
    const askFirst = !Array.isArray(body);
    const proof = (answer: TransportAnswer) => proveStored(answer, sha256.toString('base64'));
    const options = { askFirst, answerLimitMs: LONG_WORK_MS, proof };
    const answer = await this.#requests.send({ verb, key, put }, options, signal);
    if (answer.statusCode < 300) return 'stored';
    if (ifAbsent && answer.statusCode === 412) return 'refused';
    throw await this.#refusal(verb, key, answer);
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    const answer = await this.#requests.send({ verb: 'head', key }, { proof: proveReadable }, signal);
    if (answer.statusCode === 404) return undefined;
    if (answer.statusCode >= 300) throw await this.#refusal('head', key, answer);
    const { 'content-length': size, 'x-amz-checksum-sha256': checksum } = answer.headers;
    return { size: Number(size), digest: digestOf(checksum) };
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const options = { streamAnswer: true, proof: proveReadable };
    const answer = await this.#requests.send({ verb: 'get', key }, options, signal);
    const { headers } = answer;
    const date = Date.parse(headers.date ?? '') || undefined;
    if (answer.statusCode < 300) {
      const size = Number(headers['content-length']);
      return { object: { size, body: answerBody(answer.body as Readable) }, date };
    }
    const refusal = await this.#refusal('get', key, answer);
    if (answer.statusCode === 404 && faultOf(refusal)?.code === 'NoSuchKey')
      return { object: undefined, date };
    throw refusal;
  }
}

/** `undefined` also for an upload in parts: its checksum is of the parts' checksums, and ends in a dash and their number. */
function digestOf(checksum: string | undefined): string | undefined {
  if (checksum === undefined || checksum.includes('-')) return undefined;
  return `sha256:${Buffer.from(checksum, 'base64').toString('hex')}`;
}

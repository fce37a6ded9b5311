import { hash, randomUUID } from 'node:crypto';
import { badAnswerOf } from '../../http-client/errors.ts';
import type { AnswerBody, TransportAnswer } from '../../http-client/transport.ts';
import { isRepeatable, type ObjectAnswer, type ObjectHead } from '../object-store/object-store-client.ts';
import { proveReadable, proveStored } from './answers/answer-proof.ts';
import { faultOf } from './answers/sdk-faults.ts';
import type { S3Client } from './s3-client.ts';
import type { ObjectRequest, ObjectVerb, SignedRequests } from './signing/signed-requests.ts';
import { UnsignedPayloads } from './signing/unsigned-payloads.ts';

/** Until the head of an answer for which the service may have much to do. */
export const LONG_WORK_MS = 30_000;

const CHECKSUM = 'x-amz-checksum-sha256';

/** Resolves with an error of which `faultOf` knows what the answer says. */
type ReadRefusal = (verb: ObjectVerb, key: string, answer: TransportAnswer) => Promise<unknown>;

/** PUT, HEAD and GET of `S3Client`: what is asked, and what the answers mean. */
export class ObjectCalls implements Pick<S3Client, 'put' | 'head' | 'get'> {
  readonly #requests: SignedRequests;
  readonly #refusal: ReadRefusal;
  readonly #unsigned = new UnsignedPayloads();

  constructor(requests: SignedRequests, refusal: ReadRefusal) {
    this.#requests = requests;
    this.#refusal = refusal;
  }

  async put(...[key, body, facts, options]: Parameters<S3Client['put']>): ReturnType<S3Client['put']> {
    const { size, digest } = facts;
    const sha256 = Buffer.from(digest.slice('sha256:'.length), 'hex');
    const isUnsigned = this.#unsigned.areUsed;
    const verb = options.ifAbsent ? 'create' : 'overwrite';
    const answer = await this.#put(verb, key, { body, size, sha256, isUnsigned }, options.signal);
    if (answer.statusCode < 300) {
      if (!isUnsigned || answer.headers[CHECKSUM] !== undefined) return 'stored';
      this.#unsigned.end();
      // The object is ours.
      if (isRepeatable(body)) return await this.put(key, body, facts, { ...options, ifAbsent: false });
      throw badAnswerOf(answer, 'without a checksum after a PUT');
    }
    if (options.ifAbsent && answer.statusCode === 412) return 'refused';
    const refusal = await this.#refusal(verb, key, answer);
    const isMeantForUnsigned = isUnsigned && this.#unsigned.isEndedBy(faultOf(refusal));
    if (isMeantForUnsigned && isRepeatable(body)) return await this.put(key, body, facts, options);
    throw refusal;
  }

  /** See `ObjectStoreClient`. @throws what `put` throws */
  async tryChecksum(key: string, signal: AbortSignal): Promise<boolean> {
    const bytes = Buffer.from(
      `payload-store wrote this to learn whether checksums are compared: ${randomUUID()}\n`,
    );
    const [body, size, sha256] = [[bytes], bytes.length, hash('sha256', bytes, 'buffer')];
    const ofOtherBytes = hash('sha256', sha256, 'buffer');
    const put = { body, size, sha256: ofOtherBytes, isUnsigned: true };
    const answer = await this.#put('overwrite', key, put, signal);
    if (answer.statusCode < 300) await this.#put('overwrite', key, { body, size, sha256 }, signal);
    else this.#unsigned.learn(faultOf(await this.#refusal('overwrite', key, answer)));
    return this.#unsigned.areUsed;
  }

  #put(verb: ObjectVerb, key: string, put: Required<ObjectRequest>['put'], signal: AbortSignal) {
    const askFirst = !Array.isArray(put.body);
    const proof = (answer: TransportAnswer) => proveStored(answer, put.sha256.toString('base64'));
    return this.#requests.send({ verb, key, put }, { askFirst, answerLimitMs: LONG_WORK_MS, proof }, signal);
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    const answer = await this.#requests.send({ verb: 'head', key }, { proof: proveReadable }, signal);
    if (answer.statusCode === 404) return undefined;
    if (answer.statusCode >= 300) throw await this.#refusal('head', key, answer);
    const { 'content-length': size, [CHECKSUM]: checksum } = answer.headers;
    return { size: Number(size), digest: digestOf(checksum) };
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const options = { streamAnswer: true, proof: proveReadable };
    const answer = await this.#requests.send({ verb: 'get', key }, options, signal);
    const { headers } = answer;
    const date = Date.parse(headers.date ?? '') || undefined;
    if (answer.statusCode < 300) {
      const size = Number(headers['content-length']);
      return { object: { size, body: answer.body as AnswerBody }, date };
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

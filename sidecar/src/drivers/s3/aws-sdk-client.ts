import type { Readable } from 'node:stream';
import {
  S3Client as AwsClient,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { fromHttp } from '@aws-sdk/credential-provider-http';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { answerBody } from './answer-body.ts';
import { BAD_ANSWER, faultOf } from './aws-sdk-faults.ts';
import { type CallOptions, configuration, signKnownDigest } from './aws-sdk-settings.ts';
import { credentialsFromChain } from './credentials-chain.ts';
import { credentialsFromFolder } from './credentials-folder.ts';
import { CredentialsRenewal } from './credentials-renewal.ts';
import type { Credentials } from './credentials-source.ts';
import { type HttpAgents, httpAgents } from './http-agents.ts';
import type {
  Fault,
  ListAnswer,
  ListQuery,
  ObjectAnswer,
  ObjectHead,
  S3Client,
  S3Location,
} from './s3-client.ts';

/** ms until the head of an answer where the service may have much to do before it */
const LONG_WORK = 30_000;
/** ms in which a metadata service or a container's credentials service connects and answers */
const SOURCE_TIMEOUT = 1_000;

/**
 * A bucket through Amazon's SDK. Only this file imports it.
 * @param credentialsFolder holds the credentials as files; else the SDK searches for them
 */
export class AwsSdkClient implements S3Client {
  readonly place: string;
  readonly faultOf = faultOf;
  readonly #bucket: string;
  readonly #writeOptions: Partial<PutObjectCommandInput>;
  readonly #agents: HttpAgents;
  readonly #aws: AwsClient;

  constructor(location: S3Location, credentialsFolder: string | undefined) {
    const { bucket, endpoint, storageClass, serverSideEncryption } = location;
    this.place = `the bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
    this.#bucket = bucket;
    this.#writeOptions = {
      StorageClass: storageClass as PutObjectCommandInput['StorageClass'],
      ServerSideEncryption: serverSideEncryption?.type as PutObjectCommandInput['ServerSideEncryption'],
      SSEKMSKeyId: serverSideEncryption?.kmsKeyID,
    };
    this.#agents = httpAgents(location.caBundle);
    const credentials =
      credentialsFolder === undefined
        ? this.#searchedCredentials()
        : credentialsFromFolder(credentialsFolder);
    this.#aws = new AwsClient(configuration(location, credentials, this.#agents) as S3ClientConfig);
    askForCredentialsFirst(this.#aws, credentials);
    this.#aws.middlewareStack.add(signKnownDigest, { step: 'build', name: 'signKnownDigest' });
  }

  async put(...[key, body, { size, digest }, { ifAbsent, signal }]: Parameters<S3Client['put']>) {
    const command = new PutObjectCommand({
      ...this.#writeOptions,
      Bucket: this.#bucket,
      Key: key,
      // The SDK passes it on unread, and our transport takes any iterable.
      Body: body as unknown as Readable,
      ContentLength: size,
      ChecksumSHA256: base64Of(digest),
      IfNoneMatch: ifAbsent ? '*' : undefined,
    });
    const askFirst = !Array.isArray(body);
    await this.#aws.send(command, options(signal, { askFirst, answerLimit: LONG_WORK }));
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ChecksumMode: 'ENABLED' });
    try {
      const answer = await this.#aws.send(command, options(signal));
      return { size: answer.ContentLength ?? 0, digest: digestOf(answer.ChecksumSHA256) };
    } catch (error) {
      if (faultOf(error)?.status === 404) return undefined;
      throw error;
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    let date: number | undefined;
    const noteHeaders = (headers: Readonly<Record<string, string>>) => {
      date = Date.parse(headers.date ?? '') || undefined;
    };
    try {
      const answer = await this.#aws.send(command, options(signal, { streamAnswer: true, noteHeaders }));
      const body = answerBody(answer.Body as Readable);
      if (answer.ContentLength !== undefined) return { object: { size: answer.ContentLength, body }, date };
      await body.close();
      throw badAnswer('an object without Content-Length');
    } catch (error) {
      if (faultOf(error)?.code === 'NoSuchKey') return { object: undefined, date };
      throw error;
    }
  }

  async list({ prefix, byFolder = false, limit, from }: ListQuery, signal: AbortSignal): Promise<ListAnswer> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      Delimiter: byFolder ? '/' : undefined,
      MaxKeys: limit,
      ContinuationToken: from,
      // Other writers' keys may hold what XML cannot.
      EncodingType: 'url',
    });
    const answer = await this.#aws.send(command, options(signal, { answerLimit: LONG_WORK }));
    // A proxy's page may be good XML.
    if (answer.Name === undefined) throw badAnswer('a listing without the name of the bucket');
    const plain = (text = '') => (answer.EncodingType === 'url' ? decoded(text) : text);
    return {
      objects: (answer.Contents ?? []).map(({ Key, Size }) => ({ name: plain(Key), size: Size ?? 0 })),
      folders: (answer.CommonPrefixes ?? []).map(({ Prefix }) => plain(Prefix)),
      next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined,
    };
  }

  async delete(keys: readonly string[], signal: AbortSignal) {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
    });
    const { Errors = [] } = await this.#aws.send(command, options(signal, { answerLimit: LONG_WORK }));
    return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code = '', Message = '' }) => ({
      key: Key,
      fault: { ...NO_ANSWER, code: Code, message: Message },
    }));
  }

  async keepsVersions(signal: AbortSignal): Promise<boolean> {
    const command = new GetBucketVersioningCommand({ Bucket: this.#bucket });
    return (await this.#aws.send(command, options(signal))).Status === 'Enabled';
  }

  /** STS and SSO are asked by the storage's region and connections, a proxy included. */
  #searchedCredentials(): () => Promise<Credentials> {
    const options = { timeout: SOURCE_TIMEOUT, maxRetries: 1 };
    const chain = credentialsFromChain({
      search: () => defaultProvider({ ...options, parentClientConfig: { ...this.#aws.config } })(),
      askContainer: () => fromHttp({ ...options, maxRetries: 0 })(),
    });
    const renewal = new CredentialsRenewal(chain);
    return () => renewal.get();
  }

  connectionsInUse(): number {
    return this.#agents.inUse();
  }

  close(): void {
    this.#aws.destroy();
    this.#agents.close();
  }
}

/** A caller that stops waits no longer; the SDK heeds no signal while it asks for credentials. */
function askForCredentialsFirst(client: AwsClient, credentials: () => Promise<Credentials>): void {
  const send = client.send.bind(client) as (command: unknown, options: CallSignal) => Promise<unknown>;
  const sendWithCredentials = async (command: unknown, options: CallSignal) => {
    await unlessAborted(credentials(), options.abortSignal);
    return await send(command, options);
  };
  client.send = sendWithCredentials as typeof client.send;
}

type CallSignal = { readonly abortSignal: AbortSignal };

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const NO_ANSWER: Fault = {
  status: undefined,
  code: '',
  message: '',
  retryAfter: undefined,
  region: undefined,
};

function badAnswer(what: string): Error {
  return Object.assign(new Error(what), { code: BAD_ANSWER });
}

/** What reaches our transport through the SDK, beside the signal. */
function options(abortSignal: AbortSignal, forTransport: CallOptions = {}) {
  return { abortSignal, ...forTransport };
}

function base64Of(digest: string): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');
}

/** `undefined` too for the checksum of checksums that an upload in parts has; it ends in a dash and their number. */
function digestOf(checksum: string | undefined): string | undefined {
  if (checksum === undefined || checksum.includes('-')) return undefined;
  return `sha256:${Buffer.from(checksum, 'base64').toString('hex')}`;
}

/** The encoding of forms, in which a plus is a space. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

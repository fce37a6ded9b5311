import type { Readable } from 'node:stream';
import {
  S3Client as AwsClient,
  DeleteObjectCommand,
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
import { badAnswer } from '../../http-client/errors.ts';
import { type HttpAgents, httpAgents } from '../../http-client/http-agents.ts';
import type { AnswerBody, TransportAnswer } from '../../http-client/transport.ts';
import type { ListAnswer, ListQuery, ObjectAnswer, ObjectHead } from '../object-store/object-store-client.ts';
import { isDocument, proveDocument, proveReadable, proveStored } from './answers/answer-proof.ts';
import { listAnswerOf } from './answers/listing-page.ts';
import { faultOf } from './answers/sdk-faults.ts';
import {
  type CallOptions,
  configuration,
  requestHandler,
  sendContentMd5,
  signKnownDigest,
} from './aws-sdk-settings.ts';
import { credentialsFromChain } from './credentials/credentials-chain.ts';
import { credentialsFromFolder } from './credentials/credentials-folder.ts';
import { renewedCredentials } from './credentials/credentials-renewal.ts';
import type { Credentials } from './credentials/credentials-source.ts';
import { MultiObjectDeleter } from './deletion/delete-objects.ts';
import { lacksMultiObjectDelete } from './deletion/multi-object-delete.ts';
import { S3_FAILURES } from './failures.ts';
import type { DeleteAnswer, S3Client, S3Location } from './s3-client.ts';

/** Until the head of an answer for which the service may have much to do. */
const LONG_WORK_MS = 30_000;
/** In which a metadata service or a container's credentials service has to connect and answer. */
const SOURCE_TIMEOUT_MS = 1_000;

/**
 * A bucket through Amazon's SDK. Only this file imports it.
 * @param credentialsFolder holds the credentials as files; else the SDK searches for them
 */
export class AwsSdkClient implements S3Client {
  readonly kind = 's3';
  readonly place: string;
  readonly failures = S3_FAILURES;
  readonly faultOf = faultOf;
  readonly deleter = new MultiObjectDeleter(this);
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
    const checksum = base64Of(digest);
    const command = new PutObjectCommand({
      ...this.#writeOptions,
      Bucket: this.#bucket,
      Key: key,
      // The SDK passes the body on unread, so it may be of our transport's types.
      Body: body as unknown as Readable,
      ContentLength: size,
      ChecksumSHA256: checksum,
      IfNoneMatch: ifAbsent ? '*' : undefined,
    });
    const askFirst = !Array.isArray(body);
    const proof = (answer: TransportAnswer) => proveStored(answer, checksum);
    try {
      await this.#aws.send(command, options(signal, { askFirst, answerLimitMs: LONG_WORK_MS, proof }));
      return 'stored';
    } catch (error) {
      if (ifAbsent && faultOf(error)?.status === 412) return 'refused';
      throw error;
    }
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ChecksumMode: 'ENABLED' });
    try {
      const answer = await this.#aws.send(command, options(signal, { proof: proveReadable }));
      return { size: answer.ContentLength ?? 0, digest: digestOf(answer.ChecksumSHA256) };
    } catch (error) {
      if (faultOf(error)?.status === 404) return undefined;
      throw error;
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    let date: number | undefined;
    let body: AnswerBody | undefined;
    const takeBody = (streamed: AnswerBody) => {
      body = streamed;
    };
    const noteHeaders = (headers: Readonly<Record<string, string>>) => {
      date = Date.parse(headers.date ?? '') || undefined;
    };
    try {
      const answer = await this.#aws.send(
        command,
        options(signal, { streamAnswer: true, noteHeaders, takeBody, proof: proveReadable }),
      );
      return { object: { size: answer.ContentLength ?? 0, body: body as unknown as AnswerBody }, date };
    } catch (error) {
      if (faultOf(error)?.code === 'NoSuchKey') return { object: undefined, date };
      throw error;
    }
  }

  async list(query: ListQuery, signal: AbortSignal): Promise<ListAnswer> {
    const { prefix, byFolder = false, limit, from } = query;
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      Delimiter: byFolder ? '/' : undefined,
      MaxKeys: limit,
      ContinuationToken: from,
      // Keys of other writers may have characters that XML cannot hold.
      EncodingType: 'url',
    });
    const proof = (answer: TransportAnswer) => proveDocument(answer, 'ListBucketResult');
    const page = await this.#aws.send(command, options(signal, { answerLimitMs: LONG_WORK_MS, proof }));
    return listAnswerOf(page, this.#bucket, query);
  }

  async deleteObjects(keys: readonly string[], signal: AbortSignal): Promise<DeleteAnswer | 'unsupported'> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      // Without `Quiet` the answer names the deleted objects.
      Delete: { Objects: keys.map((Key) => ({ Key })) },
    });
    command.middlewareStack.add(sendContentMd5, { step: 'build', name: 'sendContentMd5', priority: 'low' });
    let isResult = false;
    const proof = (received: TransportAnswer) => {
      isResult = isDocument(received, 'DeleteResult');
    };
    try {
      const answer = await this.#aws.send(command, options(signal, { answerLimitMs: LONG_WORK_MS, proof }));
      return {
        isResult,
        deleted: (answer.Deleted ?? []).map(({ Key = '' }) => Key),
        failed: (answer.Errors ?? []).map(({ Key = '', Code = '', Message = '' }) => ({
          key: Key,
          fault: { status: undefined, code: Code, message: Message },
        })),
      };
    } catch (error) {
      if (lacksMultiObjectDelete(faultOf(error))) return 'unsupported';
      throw error;
    }
  }

  async deleteObject(key: string, signal: AbortSignal): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    try {
      await this.#aws.send(command, options(signal, { answerLimitMs: LONG_WORK_MS, proof: assertDeleted }));
    } catch (error) {
      if (faultOf(error)?.code !== 'NoSuchKey') throw error;
    }
  }

  async keepsVersions(signal: AbortSignal): Promise<boolean> {
    const command = new GetBucketVersioningCommand({ Bucket: this.#bucket });
    const proof = (answer: TransportAnswer) => proveDocument(answer, 'VersioningConfiguration');
    return (await this.#aws.send(command, options(signal, { proof }))).Status === 'Enabled';
  }

  /** Requests to STS and SSO use the storage's region and connections, a proxy included. */
  #searchedCredentials(): () => Promise<Credentials> {
    const options = { timeout: SOURCE_TIMEOUT_MS, maxRetries: 1 };
    // `RequestWatch` tells which of the sources failed.
    const watched = requestHandler(this.#agents, { byNode: true });
    const clientConfig = () => ({ ...this.#aws.config, requestHandler: watched });
    const chain = credentialsFromChain({
      search: () => defaultProvider({ ...options, parentClientConfig: clientConfig() })(),
      askContainer: () => fromHttp({ ...options, maxRetries: 0 })(),
    });
    return renewedCredentials(chain);
  }

  /** Connections that requests hold; those kept for later requests are not counted. */
  connectionsInUse(): number {
    return this.#agents.inUse();
  }

  close(): void {
    this.#aws.destroy();
    this.#agents.close();
  }
}

/** The SDK heeds no signal while it asks for credentials, so they are asked for first, and an aborted caller stops waiting. */
function askForCredentialsFirst(client: AwsClient, credentials: () => Promise<Credentials>): void {
  const send = client.send.bind(client) as (...call: unknown[]) => Promise<unknown>;
  const sendWithCredentials = async (command: unknown, options: { abortSignal: AbortSignal }) => {
    await unlessAborted(credentials(), options.abortSignal);
    return await send(command, options);
  };
  client.send = sendWithCredentials as typeof client.send;
}

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

/** The answer to a delete has no body, but a proxy's page may have any status of success. */
function assertDeleted({ statusCode, body }: TransportAnswer): void {
  if (statusCode === 204) return;
  if (statusCode === 200 && Buffer.isBuffer(body) && body.length === 0) return;
  throw badAnswer(`an answer of status ${statusCode}, with a body, to a delete`);
}

/** The options of a request, which the SDK hands through to our transport. */
function options(abortSignal: AbortSignal, forTransport: CallOptions = {}) {
  return { abortSignal, ...forTransport };
}

function base64Of(digest: string): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');
}

/** `undefined` also for an upload in parts: its checksum is of the parts' checksums, and ends in a dash and their number. */
function digestOf(checksum: string | undefined): string | undefined {
  if (checksum === undefined || checksum.includes('-')) return undefined;
  return `sha256:${Buffer.from(checksum, 'base64').toString('hex')}`;
}

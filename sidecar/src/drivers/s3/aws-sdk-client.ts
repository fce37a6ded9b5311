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
import type { TransportAnswer } from '../../http-client/transport.ts';
import { unlessAborted } from '../../time/unless-aborted.ts';
import type { ListAnswer, ListQuery, ObjectAnswer, ObjectHead } from '../object-store/object-store-client.ts';
import { isDocument, proveDeleted, proveDocument } from './answers/answer-proof.ts';
import { listAnswerOf } from './answers/listing-page.ts';
import { faultOf } from './answers/sdk-faults.ts';
import {
  configuration,
  type HandlerOptions,
  NOT_SENT,
  requestHandler,
  sendContentMd5,
  sendingBy,
  sendingNothing,
} from './aws-sdk-settings.ts';
import { credentialsFromChain } from './credentials/credentials-chain.ts';
import { credentialsFromFolder } from './credentials/credentials-folder.ts';
import { renewedCredentials } from './credentials/credentials-renewal.ts';
import type { Credentials } from './credentials/credentials-source.ts';
import { MultiObjectDeleter } from './deletion/delete-objects.ts';
import { lacksMultiObjectDelete } from './deletion/multi-object-delete.ts';
import { S3_FAILURES } from './failures.ts';
import { LONG_WORK_MS, ObjectCalls } from './object-calls.ts';
import type { DeleteAnswer, S3Client, S3Location } from './s3-client.ts';
import { SAMPLE_CREDENTIALS, type SampleRequest, unsupportedSigning } from './signing/request-template.ts';
import { type ObjectVerb, SignedRequests } from './signing/signed-requests.ts';

/** In which a metadata service or a container's credentials service has to connect and answer. */
const SOURCE_TIMEOUT_MS = 1_000;

/**
 * A bucket through Amazon's SDK, but for PUT, HEAD and GET of objects, which are `ObjectCalls`. Only this file imports
 * the SDK.
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
  /** sends nothing */
  readonly #offline: AwsClient;
  readonly #objects: ObjectCalls;

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
    this.#aws = new AwsClient(
      configuration(location, credentials, sendingBy(this.#agents)) as S3ClientConfig,
    );
    askForCredentialsFirst(this.#aws, credentials);
    const noCredentials = async () => SAMPLE_CREDENTIALS;
    this.#offline = new AwsClient(configuration(location, noCredentials, sendingNothing) as S3ClientConfig);
    const requests = new SignedRequests(this.#agents, credentials, {
      sample: (verb, key) => this.#sample(verb, key),
      clock: this.#aws.config,
    });
    this.#objects = new ObjectCalls(requests, (verb, key, answer) => this.#refusal(verb, key, answer));
  }

  put(...call: Parameters<S3Client['put']>) {
    return this.#objects.put(...call);
  }

  tryChecksum(key: string, signal: AbortSignal): Promise<boolean> {
    return this.#objects.tryChecksum(key, signal);
  }

  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    return this.#objects.head(key, signal);
  }

  get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    return this.#objects.get(key, signal);
  }

  /** The request that the SDK would send for the object, signed by `SAMPLE_CREDENTIALS`; `undefined`: it would send another one first. */
  async #sample(verb: ObjectVerb, key: string): Promise<SampleRequest | undefined> {
    let sample: SampleRequest | undefined;
    const answerOffline = (request: SampleRequest) => {
      sample = request;
      throw NOT_SENT;
    };
    await this.#offline.send(this.#command(verb, key), { answerOffline } as HandlerOptions).catch((error) => {
      if (error !== NOT_SENT) throw error;
    });
    return sample;
  }

  /** The error as which the SDK reads a refusal. */
  async #refusal(verb: ObjectVerb, key: string, answer: TransportAnswer): Promise<unknown> {
    const options = { answerOffline: () => answer } as HandlerOptions;
    return await this.#offline.send(this.#command(verb, key), options).then(
      () => badAnswer(`${answer.statusCode} that is no refusal`),
      (error) => error,
    );
  }

  /** For the client that sends nothing, so with an empty body. */
  #command(verb: ObjectVerb, key: string) {
    const object = { Bucket: this.#bucket, Key: key };
    if (verb === 'head') return new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' });
    if (verb === 'get') return new GetObjectCommand(object);
    const IfNoneMatch = verb === 'create' ? '*' : undefined;
    return new PutObjectCommand({
      ...this.#writeOptions,
      ...object,
      Body: '',
      ContentLength: 0,
      IfNoneMatch,
    });
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
      await this.#aws.send(command, options(signal, { answerLimitMs: LONG_WORK_MS, proof: proveDeleted }));
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
    // `RequestWatch` sees requests of Node's client only, and finds by them which source failed.
    const watched = requestHandler(sendingBy(this.#agents, { byNode: true }));
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
  const sendWithCredentials = async (command: unknown, options?: { abortSignal: AbortSignal }) => {
    // Only the SDK itself passes no options, to ask for the keys of a session.
    if (options === undefined) throw unsupportedSigning();
    await unlessAborted(credentials(), options.abortSignal);
    return await send(command, options);
  };
  client.send = sendWithCredentials as typeof client.send;
}

/** The options of a request, which the SDK hands through to our transport. */
function options(abortSignal: AbortSignal, forTransport: HandlerOptions = {}) {
  return { abortSignal, ...forTransport };
}

import type { ObjectBody } from '../../object-store/object-store-client.ts';
import type { HttpAgents } from '../../object-store/transport/http-agents.ts';
import type { TransportAnswer } from '../../object-store/transport/http-transport.ts';
import { type CallOptions, provenExchange } from '../answers/proven-exchange.ts';
import type { Credentials } from '../credentials/credentials-source.ts';
import { unlessAborted } from '../credentials/unless-aborted.ts';
import { type BodyFacts, RequestTemplate, type SampleRequest } from './request-template.ts';

/** `create`: a PUT that is refused where there is an object; `overwrite`: any other PUT */
export type ObjectVerb = 'create' | 'overwrite' | 'head' | 'get';

export interface ObjectRequest {
  readonly verb: ObjectVerb;
  readonly key: string;
  /** of a PUT */
  readonly put?: BodyFacts & { readonly body: ObjectBody };
}

/** What only Amazon's SDK knows of the requests. */
export interface SdkRequests {
  /** The request that the SDK would send for `SAMPLE_KEY`, signed by `SAMPLE_CREDENTIALS`; `undefined`: it has to send all itself. */
  sample(verb: ObjectVerb): Promise<SampleRequest | undefined>;
  /** Sends by the SDK. Resolves with a refusal too. */
  send(request: ObjectRequest, options: CallOptions, signal: AbortSignal): Promise<TransportAnswer>;
  /** ms by which the service's clock is ahead of ours, where the SDK keeps it */
  readonly clock: { systemClockOffset: number };
}

/**
 * PUT, HEAD and GET of objects, signed here: the SDK takes 0.8 ms for each. The SDK shows once for each verb how it would send
 * it: the address, the headers, the region. What is signed in a way that we do not know is sent by the SDK.
 */
export class SignedRequests {
  readonly #agents: HttpAgents;
  readonly #credentials: () => Promise<Credentials>;
  readonly #sdk: SdkRequests;
  readonly #templates = new Map<ObjectVerb, Promise<RequestTemplate | undefined>>();

  constructor(agents: HttpAgents, credentials: () => Promise<Credentials>, sdk: SdkRequests) {
    this.#agents = agents;
    this.#credentials = credentials;
    this.#sdk = sdk;
  }

  /** Resolves with any answer; one of success is proven. @throws what credentials and transport throw, and the signal's reason */
  async send(request: ObjectRequest, options: CallOptions, signal: AbortSignal): Promise<TransportAnswer> {
    const { verb, key, put } = request;
    const credentials = await unlessAborted(this.#credentials(), signal);
    const template = await unlessAborted(this.#templateOf(verb), signal);
    if (template === undefined) return await this.#sdk.send(request, options, signal);
    const signed = template.signed(key, put, credentials, Date.now() + this.#sdk.clock.systemClockOffset);
    const answer = await provenExchange(this.#agents, { ...signed, body: put?.body }, { ...options, signal });
    this.#noteClock(answer);
    return answer;
  }

  #templateOf(verb: ObjectVerb): Promise<RequestTemplate | undefined> {
    const known = this.#templates.get(verb);
    if (known !== undefined) return known;
    const made = this.#sdk
      .sample(verb)
      .then((sample) => (sample === undefined ? undefined : RequestTemplate.of(sample)));
    this.#templates.set(verb, made);
    made.catch(() => this.#templates.delete(verb));
    return made;
  }

  /** As the SDK does after its own requests. An answer with an age comes from a cache. */
  #noteClock({ headers }: TransportAnswer): void {
    const time = headers.age === undefined ? Date.parse(headers.date ?? '') : Number.NaN;
    if (!Number.isNaN(time)) this.#sdk.clock.systemClockOffset = time - Date.now();
  }
}

import type { ObjectBody } from '../../object-store/object-store-client.ts';
import type { HttpAgents } from '../../object-store/transport/http-agents.ts';
import type { TransportAnswer } from '../../object-store/transport/http-transport.ts';
import { type CallOptions, provenExchange } from '../answers/proven-exchange.ts';
import type { Credentials } from '../credentials/credentials-source.ts';
import { unlessAborted } from '../credentials/unless-aborted.ts';
import { type BodyFacts, RequestTemplate, SAMPLE_KEY, type SampleRequest } from './request-template.ts';

/** `create`: a PUT that is refused where there is an object; `overwrite`: any other PUT */
export type ObjectVerb = 'create' | 'overwrite' | 'head' | 'get';

export interface ObjectRequest {
  readonly verb: ObjectVerb;
  readonly key: string;
  /** of a PUT */
  readonly put?: BodyFacts & { readonly body: ObjectBody };
}

/** What only Amazon's SDK knows of the requests. */
export interface SdkKnowledge {
  /** The request that the SDK would send for the object, signed by `SAMPLE_CREDENTIALS`; `undefined`: it would send another one first. */
  sample(verb: ObjectVerb, key: string): Promise<SampleRequest | undefined>;
  /** where the SDK keeps by how many ms the service's clock is ahead of ours */
  readonly clock: { systemClockOffset: number; readonly disableClockSkewCorrection: () => Promise<boolean> };
}

/**
 * PUT, HEAD and GET of objects, signed here: the SDK takes 0.8 ms for each. It shows once for each verb how it would send the
 * request: the address, the headers, the region.
 */
export class SignedRequests {
  readonly #agents: HttpAgents;
  readonly #credentials: () => Promise<Credentials>;
  readonly #sdk: SdkKnowledge;
  readonly #templates = new Map<ObjectVerb, Promise<RequestTemplate>>();

  constructor(agents: HttpAgents, credentials: () => Promise<Credentials>, sdk: SdkKnowledge) {
    this.#agents = agents;
    this.#credentials = credentials;
    this.#sdk = sdk;
  }

  /**
   * Resolves with any answer; one of success is proven.
   * @throws what credentials, transport and proof throw; errors about the location; the signal's reason
   */
  async send({ verb, key, put }: ObjectRequest, options: CallOptions, signal: AbortSignal) {
    const credentials = await unlessAborted(this.#credentials(), signal);
    const template = await unlessAborted(this.#templateOf(verb), signal);
    const time = Date.now() + this.#sdk.clock.systemClockOffset;
    const request = { ...template.signed(key, put, credentials, time), body: put?.body };
    const answer = await provenExchange(this.#agents, request, { ...options, signal });
    await this.#noteClock(answer);
    return answer;
  }

  #templateOf(verb: ObjectVerb): Promise<RequestTemplate> {
    const known = this.#templates.get(verb);
    if (known !== undefined) return known;
    const made = this.#sdk.sample(verb, SAMPLE_KEY).then((sample) => RequestTemplate.of(sample));
    this.#templates.set(verb, made);
    made.catch(() => this.#templates.delete(verb));
    return made;
  }

  /** As the SDK does after its own requests. An answer with an age comes from a cache. */
  async #noteClock({ headers }: TransportAnswer): Promise<void> {
    const { clock } = this.#sdk;
    const time = headers.age === undefined ? Date.parse(headers.date ?? '') : Number.NaN;
    const isFollowed = !Number.isNaN(time) && !(await clock.disableClockSkewCorrection());
    if (isFollowed) clock.systemClockOffset = time - Date.now();
  }
}

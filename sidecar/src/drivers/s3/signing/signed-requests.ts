import type { HttpAgents } from '../../../http-client/http-agents.ts';
import type { TransportAnswer } from '../../../http-client/transport.ts';
import { unlessAborted } from '../../../time/unless-aborted.ts';
import type { ObjectBody } from '../../object-store/object-store-client.ts';
import { type CallOptions, provenExchange } from '../answers/proven-exchange.ts';
import type { Credentials } from '../credentials/credentials-source.ts';
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
  /** The request that the SDK would send for the object, signed by `SAMPLE_CREDENTIALS`; `undefined`: it would send another request first. */
  sample(verb: ObjectVerb, key: string): Promise<SampleRequest | undefined>;
  /** the SDK's record of how many ms the service's clock is ahead of ours */
  readonly clock: { systemClockOffset: number; readonly disableClockSkewCorrection: () => Promise<boolean> };
}

/** The last moment whose year has four digits; ms since the epoch. */
const LAST_TIME = Date.UTC(10_000, 0) - 1;

/**
 * PUT, HEAD and GET of objects, signed here: the SDK takes 0.8 ms for each. It shows once for each verb how it would send the
 * request: the address, the headers, the region.
 */
export class SignedRequests {
  readonly #agents: HttpAgents;
  readonly #credentials: () => Promise<Credentials>;
  readonly #sdk: SdkKnowledge;
  readonly #templates = new Map<ObjectVerb, Promise<RequestTemplate>>();
  #followsClock = false;

  constructor(agents: HttpAgents, credentials: () => Promise<Credentials>, sdk: SdkKnowledge) {
    this.#agents = agents;
    this.#credentials = credentials;
    this.#sdk = sdk;
  }

  /**
   * Resolves with any answer; a successful answer is proven.
   * @throws what credentials, transport and proof throw; errors about the location; the signal's reason
   */
  async send({ verb, key, put }: ObjectRequest, options: CallOptions, signal: AbortSignal) {
    const { credentials, template } = await unlessAborted(this.#prepare(verb), signal);
    const request = { ...template.signed(key, put, credentials, this.#time()), body: put?.body };
    const answer = await provenExchange(this.#agents, request, { ...options, signal });
    this.#noteClock(answer);
    return answer;
  }

  async #prepare(verb: ObjectVerb) {
    const credentials = await this.#credentials();
    return { credentials, template: await this.#templateOf(verb) };
  }

  #templateOf(verb: ObjectVerb): Promise<RequestTemplate> {
    const known = this.#templates.get(verb);
    if (known !== undefined) return known;
    const made = this.#makeTemplate(verb);
    this.#templates.set(verb, made);
    made.catch(() => this.#templates.delete(verb));
    return made;
  }

  async #makeTemplate(verb: ObjectVerb): Promise<RequestTemplate> {
    this.#followsClock = !(await this.#sdk.clock.disableClockSkewCorrection());
    return RequestTemplate.of(await this.#sdk.sample(verb, SAMPLE_KEY));
  }

  /** By the service's clock, unless an answer had a date that cannot be written: no request would leave to learn a better one. */
  #time(): number {
    const { clock } = this.#sdk;
    if (Date.now() + clock.systemClockOffset > LAST_TIME) clock.systemClockOffset = 0;
    return Date.now() + clock.systemClockOffset;
  }

  /** As the SDK does after its own requests. An answer with an age comes from a cache. */
  #noteClock({ headers }: TransportAnswer): void {
    if (!this.#followsClock || headers.age !== undefined) return;
    const time = Date.parse(headers.date ?? '');
    if (!Number.isNaN(time)) this.#sdk.clock.systemClockOffset = time - Date.now();
  }
}

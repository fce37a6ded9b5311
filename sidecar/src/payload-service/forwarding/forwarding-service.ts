import { putTimeLimit } from '@largepayload/codec/wire/put-time-limit';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import type { StoredBlob } from '../../drivers/driver.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { TransportTimeoutError } from '../../http-client/limits.ts';
import { parseKey } from '../../keys/key.ts';
import type { Log } from '../../log/log.ts';
import { elapsedSince } from '../../time/moment.ts';
import type { GetRequest, PayloadService, PutRequest, PutResult } from '../payload-service.ts';
import { type AttemptRules, withAttempts } from './attempts.ts';
import { FailureLog } from './failure-log.ts';
import { acknowledgementOf, payloadOf } from './gateway-answers.ts';
import { failureOf } from './gateway-failures.ts';
import { GatewayLink, type GatewaySettings } from './gateway-link.ts';
import {
  type GatewayRequest,
  getFromGateway,
  getVersionOneFromGateway,
  HEALTH_OF_GATEWAY,
  putToGateway,
} from './gateway-requests.ts';
import { KeptBodies, type KeptBody } from './kept-bodies.ts';
import { FORWARDING_TIMES, type ForwardingTimes } from './time-limits.ts';

export interface ForwardingSettings extends GatewaySettings {
  /** bytes of memory for bodies that are kept until they are acknowledged */
  readonly keptBytes: number;
  /** for tests */
  readonly times?: Partial<ForwardingTimes> | undefined;
}

/**
 * Forwards to a gateway. Bodies are kept, as far as there is memory, and sent again when a gateway goes away. Errors of the
 * gateway pass unchanged. What is read is not verified here: the worker's codec verifies it.
 */
export class ForwardingService implements PayloadService {
  readonly #link: GatewayLink;
  readonly #bodies: KeptBodies;
  readonly #times: ForwardingTimes;
  readonly #failures: FailureLog;

  constructor(settings: ForwardingSettings, log: Log) {
    this.#link = new GatewayLink(settings, log);
    this.#bodies = new KeptBodies(settings.keptBytes);
    this.#times = { ...FORWARDING_TIMES, ...settings.times };
    this.#failures = new FailureLog(log);
  }

  /** @throws ServiceError: as the gateway answered, or a code of the sidecar */
  async put(request: PutRequest): Promise<PutResult> {
    const kept = await this.#bodies.keep(request.body, request.facts.size);
    const sending = kept === undefined ? this.#stream(request) : this.#sendKept(request, kept);
    const result = await this.#failures.of(sending);
    assertInTime(request, result);
    return result;
  }

  /** @throws ServiceError: as the gateway answered, or a code of the sidecar */
  async get(key: string, request: GetRequest): Promise<StoredBlob> {
    parseKey(key);
    return await this.#get(getFromGateway(key, request.expectedSize), request);
  }

  /** @throws ServiceError: as the gateway answered, or a code of the sidecar */
  async getVersionOne(digest: string, request: GetRequest): Promise<StoredBlob> {
    return await this.#get(getVersionOneFromGateway(digest, request.expectedSize), request);
  }

  /** Whether the gateway can store and read payloads now, and there is a token for it. */
  async assertUsable(): Promise<void> {
    const rules = this.#rules({ signal: new AbortController().signal, limitMs: this.#times.healthMs });
    await withAttempts(this.#link, rules, async (access, options) => {
      const answer = await this.#link.send(
        { ...access, token: undefined },
        HEALTH_OF_GATEWAY,
        undefined,
        options,
      );
      if (answer.statusCode === 200) return;
      const message = `the gateway ${this.#link.name} cannot be used now: it answered ${answer.statusCode} to HEAD /v2/health/head; its /readyz has the reason`;
      throw new ServiceError('gateway_unreachable', message);
    });
  }

  close(): void {
    this.#link.close();
  }

  async #sendKept(request: PutRequest, kept: KeptBody): Promise<PutResult> {
    const limitMs = this.#answerMs(request.facts.size);
    let sent = 0;
    let isUnread = false;
    try {
      const rules = this.#rules({ signal: request.signal, limitMs });
      return await withAttempts(this.#link, rules, async (access, options) => {
        sent += 1;
        const put = { ...options, answerLimitMs: limitMs };
        const answer = await this.#link.send(access, putToGateway(request), kept.pieces, put);
        const result = acknowledgementOf(answer, request);
        // The gateway has all bytes, and no other connection was given them. After anything else, one may read them yet.
        isUnread = sent === 1;
        return result;
      });
    } catch (error) {
      if ((error as Error).cause instanceof TransportTimeoutError) this.#bodies.wasLate();
      throw error;
    } finally {
      kept.release(isUnread);
    }
  }

  async #stream(request: PutRequest): Promise<PutResult> {
    let begun = false;
    const body = {
      readInto: (sink: ByteSink) => {
        begun = true;
        return request.body.readInto(sink);
      },
    };
    const rules = this.#rules({ signal: request.signal, mayRepeat: () => !begun });
    return await withAttempts(this.#link, rules, async (access, options) => {
      const answerLimitMs = this.#answerMs(request.facts.size);
      const put = { ...options, answerLimitMs, askFirst: true };
      return acknowledgementOf(await this.#link.send(access, putToGateway(request), body, put), request);
    });
  }

  async #get(wanted: GatewayRequest, { signal, expectedSize }: GetRequest): Promise<StoredBlob> {
    const limitMs = this.#times.answerMs;
    const rules = this.#rules({ signal, limitMs });
    const asking = withAttempts(this.#link, rules, async (access, options) => {
      const get = { ...options, answerLimitMs: limitMs, streamAnswer: true };
      return payloadOf(await this.#link.send(access, wanted, undefined, get), expectedSize);
    });
    const body = await this.#failures.of(asking);
    const fail = (error: unknown) => Promise.reject(failureOf(error, this.#link.name));
    return {
      size: expectedSize,
      readInto: (sink) => body.readInto(sink).catch(fail),
      close: () => body.close(),
    };
  }

  #rules(rules: Pick<AttemptRules, 'signal' | 'limitMs'> & Partial<AttemptRules>): AttemptRules {
    return { pauseMs: this.#times.pauseMs, mayRepeat: () => true, ...rules };
  }

  /** How long a gateway may take for the answer to a PUT. */
  #answerMs(size: number): number {
    return this.#times.answerMs + Math.ceil(size * this.#times.storingMsPerByte);
  }
}

/** The gateway counts from when it got the request, and the worker from when it sent it. */
function assertInTime({ received }: PutRequest, { key }: PutResult): void {
  const [takenMs, limitMs] = [elapsedSince(received), putTimeLimit(key)];
  if (takenMs <= limitMs) return;
  throw new ServiceError(
    'put_timeout',
    `the payload took ${(takenMs / 1_000).toFixed(1)} s to store through this sidecar; the limit of its store is ${limitMs / 1_000} s`,
  );
}

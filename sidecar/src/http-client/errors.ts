/** Code of an error: the answer is not one of the service's protocol. */
export const BAD_ANSWER = 'BadAnswer';
/** Code of an error: the server does not speak HTTP. */
export const NOT_HTTP = 'NotHttp';

/** Code of an error: the environment names a proxy that cannot be used. */
export const BAD_PROXY = 'BadProxy';

/** For an answer that cannot be believed: it counts as no answer. */
export const badAnswer = (message: string) => Object.assign(new Error(message), { code: BAD_ANSWER });

interface DescribedAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** As `badAnswer`, and describes the answer too, so that it can be found out which server sent it. */
export function badAnswerOf({ statusCode, headers }: DescribedAnswer, fault?: string): Error {
  const { 'content-type': type = '', server = '', via = '' } = headers;
  const by = [server, via].filter((each) => each !== '').join(', ');
  const parts = [`${statusCode}`, type, by === '' ? '' : `from ${by}`].filter((part) => part !== '');
  return badAnswer(parts.join(' ').slice(0, 200) + (fault === undefined ? '' : `, ${fault}`));
}

/** Ends the reading of a body whose rest the service does not want. */
export const NOT_WANTED = new Error('the service does not want the rest of the body');

/** As Node reports a connection that the other end closed. */
export const closedError = (message: string) => Object.assign(new Error(message), { code: 'ECONNRESET' });

const CLOSED: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/** Whether the other end closed the connection. */
export function isClosed(error: unknown): boolean {
  return CLOSED.has((error as NodeJS.ErrnoException).code);
}

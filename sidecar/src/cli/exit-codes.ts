/** The program's exit codes. */
export const EXIT_CODES = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  integrity: 4,
  unavailable: 5,
} as const;

export const EXIT_CODE_HELP = `Exit codes:
  0  it worked
  1  it failed for another reason than those below, or doctor found a problem
  2  the arguments or the configuration are wrong
  3  no payload is stored under the reference
  4  the payload's bytes are not those of the reference
  5  the service or the cluster cannot be reached, is not trusted, refuses the token, or cannot use its storage now; try again`;

/** What was asked cannot be reached now; the message says what to look at. */
export class UnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnavailableError';
  }
}

/** The arguments are wrong; the message says how to put them right. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

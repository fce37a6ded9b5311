import { asLine, LONGEST_LINE } from './json-fields.ts';

/** Reads a parameter of a reason; `undefined`: the value is no such parameter. */
type Read<Value extends string> = (value: unknown) => Value | undefined;

const text: Read<string> = (value) =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_LINE ? asLine(value) : undefined;

function oneOf<const Value extends string>(...values: Value[]): Read<Value> {
  return (value) => values.find((each) => each === value);
}

/**
 * Why a process of the service is not ready, for programs: each reason with its parameters. An error has a reason only
 * where its code is not enough to act on. The service names the reason where it throws the error; the operator has a finding for it.
 */
export const REASONS = {
  /** The process has not looked at the storage yet. */
  JustStarted: {},
  /** Only a gateway writes this record, and none has. */
  WaitsForGateway: { record: oneOf('store.json', 'lease.json') },
  /** The lease of another process is over, or will be soon; then this process takes the storage over. */
  WaitsForStorage: { holder: text, state: oneOf('ending', 'ended', 'unreadable') },
  /** `owner`: `NAMESPACE/NAME`, as `store.json` has it */
  StorageOwnedByAnotherStore: { owner: text },
  /** `holder`: for people. `since`: RFC 3339. `shareIn`: where `storage.shared: true` is missing to share the storage */
  StorageInUse: { holder: text, since: text, shareIn: oneOf('here', 'there', 'both') },
  /** The prefix of the store is a place that stores keep for themselves. */
  PrefixNotAllowed: {},
  /** `store.json` was there, or should be, and is not. */
  IdentityMissing: {},
  /** `store.json` is of the same store and has another id than the store's storage. */
  StorageReplaced: {},
  BucketMissing: {},
  /** The machine's clock is behind the time that the store had reached. */
  ClockBehind: {},
  /** `direction`: of the machine's clock, compared with the storage's */
  ClockDifference: { direction: oneOf('ahead', 'behind', 'unknown') },
  /** `key`: of the Secret, which is the name of the file */
  CredentialsFileMissing: { key: text },
  /** The storage was not asked: the source of the credentials gives none. `explanation`: for people */
  CredentialsRefused: { explanation: text },
  /** The storage knows the credentials, and they lack a right. */
  AccessDenied: {},
  /** A gateway that needs a certificate has none: `tls.crt` or `tls.key` of `--tls-dir` is missing, or is no such file. */
  CertificateMissing: {},
  /** A gateway has never loaded the keys by which it verifies tokens. `issuer`: its URL; of the cluster, as its API server has it */
  TokenKeysMissing: { issuer: text },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Read<string>>>>>;

type Reasons = typeof REASONS;
export type ReasonName = keyof Reasons;

type ValueOf<Reader> = Reader extends Read<infer Value> ? Value : never;
type ParametersOf<Name extends ReasonName> = {
  readonly [Parameter in keyof Reasons[Name]]: ValueOf<Reasons[Name][Parameter]>;
};

/** A reason with its parameters. */
export type Reason<Name extends ReasonName = ReasonName> = {
  readonly [Each in Name]: { readonly name: Each } & ParametersOf<Each>;
}[Name];

/** `undefined`: this version does not know the reason, or not with such parameters. */
export function readReason(name: unknown, parameters: unknown): Reason | undefined {
  if (typeof name !== 'string' || !Object.hasOwn(REASONS, name)) return undefined;
  const given = (parameters ?? {}) as Readonly<Record<string, unknown>>;
  const readers: Readonly<Record<string, Read<string>>> = REASONS[name as ReasonName];
  const reason: Record<string, string> = { name };
  for (const [parameter, read] of Object.entries(readers)) {
    const value = read(given[parameter]);
    if (value === undefined) return undefined;
    reason[parameter] = value;
  }
  return reason as Reason;
}

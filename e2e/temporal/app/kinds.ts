/** The ways in which Temporal carries a payload; each is tried with a large one. */
export const kinds = [
  'workflow input',
  'memo',
  'signal',
  'update argument',
  'update result',
  'query result',
  'activity argument',
  'activity result',
  'activity failure details',
  'heartbeat details',
  'child workflow result',
  'child workflow failure details',
  'workflow failure details',
  'return value',
] as const;

export type Kind = (typeof kinds)[number];

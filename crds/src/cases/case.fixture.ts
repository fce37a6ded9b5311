/** A manifest and its problem, for our own validation and for a real API server. */
export interface StoreCase {
  /** the circumstance, as a sentence */
  readonly name: string;
  /** the resource, as JSON */
  readonly text: string;
  /** the one problem that our validation finds; absent: the manifest is valid */
  readonly problem?: { readonly path: string; readonly message: string };
  /** parts of the API server's message, which kubectl shows */
  readonly answer?: readonly string[];
}

type Named = readonly [name: string, text: string, answer?: string | undefined];

/** Manifests on both sides of a rule. The API server reports the same problem, unless a manifest has an answer of its own. */
export function rule(
  path: string,
  message: string,
  accepted: readonly Named[],
  rejected: readonly Named[],
): StoreCase[] {
  const told = [`${path}: Invalid value`, message];
  return [
    ...accepted.map(([name, text]) => ({ name: `${path}: accepts ${name}`, text })),
    ...rejected.map(([name, text, answer]) => ({
      name: `${path}: rejects ${name}`,
      text,
      problem: { path, message },
      answer: answer === undefined ? told : [answer],
    })),
  ];
}

/** A manifest that a keyword of the schema refuses, and the API server's message. */
export function rejected(path: string, text: string, message: string, answer: string): StoreCase {
  return { name: `${path}: ${message}`, text, problem: { path, message }, answer: [answer] };
}

/** A manifest and what is wrong with it, for our own validation and for a real API server. */
export interface StoreCase {
  /** What is special about it. */
  readonly name: string;
  /** the resource, as JSON */
  readonly text: string;
  /** What our validation says, and says alone; absent: the manifest is valid. */
  readonly problem?: { readonly path: string; readonly message: string };
  /** Parts of what the API server says, which is what kubectl shows. */
  readonly answer?: readonly string[];
}

type Named = readonly [name: string, text: string, answer?: string | undefined];

/** Manifests on both sides of a rule, which the API server reports as we do unless a manifest has an answer of its own. */
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

/** A manifest that a keyword of the schema is against, and the words that the API server has for it. */
export function rejected(path: string, text: string, message: string, answer: string): StoreCase {
  return { name: `${path}: ${message}`, text, problem: { path, message }, answer: [answer] };
}

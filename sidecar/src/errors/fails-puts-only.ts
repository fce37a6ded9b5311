/** An error that stops PUTs: the payloads that are stored can be served all the same. */
export interface FailsPutsOnly {
  readonly failsPutsOnly: true;
}

export function failsPutsOnly(error: unknown): boolean {
  return (error as Partial<FailsPutsOnly>).failsPutsOnly === true;
}

export type Query = Readonly<Record<string, string | readonly string[] | null>>;

/** Encoded as AWS Signature Version 4 asks: all but `A-Z a-z 0-9 - . _ ~`, in UTF-8. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path of a key: its slashes stay, also consecutive ones. */
export function encodedKey(key: string): string {
  return uriEncoded(key).replaceAll('%2F', '/');
}

/** `NAME=VALUE&…`, in the query's order. */
export function encodedQuery(query: Query): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) =>
      each === null ? uriEncoded(name) : `${uriEncoded(name)}=${uriEncoded(each)}`,
    ),
  );
  return parts.join('&');
}

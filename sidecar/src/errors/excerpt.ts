/** Texts of others may be long, and hold anything: quoted, and cut after so many characters. */
export function excerpt(text: string, longest = 100): string {
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

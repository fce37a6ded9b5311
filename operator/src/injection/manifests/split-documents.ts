/** A part of a file: together they are the whole text, byte for byte. */
export interface TextPart {
  /** the line `---` that begins the document, or nothing */
  readonly marker: string;
  readonly text: string;
  /** of the file, before `text` */
  readonly linesBefore: number;
}

/** In YAML, a line that begins with `---` begins a document wherever it is. */
const MARKER = /^---(?=[ \t\r\n]|$)/gm;
/** A marker with nothing behind it but a comment. */
const BARE = /^---[ \t]*(?:#[^\n]*)?(?:\n|$)/;

export function splitDocuments(text: string): readonly TextPart[] {
  const begins = [...text.matchAll(MARKER)].map(({ index }) => index);
  if (begins[0] !== 0) begins.unshift(0);
  let linesBefore = 0;
  return begins.map((begin, position) => {
    const whole = text.slice(begin, begins[position + 1]);
    const marker = BARE.exec(whole)?.[0] ?? '';
    linesBefore += linesOf(marker);
    const part = { marker, text: whole.slice(marker.length), linesBefore };
    linesBefore += linesOf(part.text);
    return part;
  });
}

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

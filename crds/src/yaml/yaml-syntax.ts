import { type Document, isScalar, type LineCounter, visit } from 'yaml';
import type { Problem } from '../manifest-error.ts';
import { excerpt } from '../message-parts.ts';

/** How the parser reads files of others. A resource is JSON, so a tag or a %YAML directive makes no dates, sets or bytes. */
export const STRICT_YAML = {
  // The parser's messages would quote the file.
  prettyErrors: false,
  // The parser's search for repeated fields takes minutes for a file of the largest size.
  uniqueKeys: false,
  stringKeys: true,
  // kubectl reads `<<` too.
  merge: true,
  resolveKnownTags: false,
} as const;

/** A file with more aliases within aliases than that is made to exhaust memory. */
export const MOST_ALIASES = 100;

/** @param linesBefore of the file, before the text that was parsed */
export function syntaxProblems(document: Document.Parsed, lines: LineCounter, linesBefore = 0): Problem[] {
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${linesBefore + line}, column ${col}`;
  };
  // A warning is about a tag or directive that this parser ignores and the cluster's parser refuses.
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    path: '',
    message: `${place(pos[0])}: ${code === 'RESOURCE_EXHAUSTION' ? 'nested too deeply' : message}`,
  }));
  if (problems.length > 0) return problems;

  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const message = `the field ${excerpt(String(key.value))} is given twice`;
          problems.push({ path: '', message: `${place(key.range?.[0] ?? 0)}: ${message}` });
        }
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/** The message of an error that the parser throws in place of reporting it; `undefined`: it is not one of those. */
export function failureOf(error: unknown): string | undefined {
  if (error instanceof RangeError) return 'nested too deeply';
  // Thrown for an alias without an anchor, and for aliases that multiply.
  return error instanceof ReferenceError ? `alias: ${error.message}` : undefined;
}

import type { DiagnosedFinding, Diagnosis } from './diagnose.ts';
import type { Level } from './finding.ts';

const WIDTH = 80;
const LEVEL_WIDTH = 'problem'.length + 2;
const CHECK_WIDTH = 'certificates'.length + 2;
const NOUNS: readonly (readonly [Level, one: string, many: string])[] = [
  ['problem', 'problem', 'problems'],
  ['warning', 'warning', 'warnings'],
  ['unknown', 'unknown', 'unknown'],
];

/** The diagnosis as text of 80 columns. Commands stand on a line of their own, whole, so that they can be copied. */
export function printDiagnosis({ namespace, stores, findings, counts }: Diagnosis): string {
  const sections = [undefined, ...stores].flatMap((store) => {
    const own = findings.filter((finding) => finding.store === store);
    const title = store === undefined ? `namespace ${namespace}` : `store ${store}`;
    return own.length === 0 ? [] : [[title, ...own.flatMap(linesOf)].join('\n')];
  });
  const sums = NOUNS.flatMap(([level, one, many]) =>
    counts[level] === 0 ? [] : [`${counts[level]} ${counts[level] === 1 ? one : many}`],
  );
  return `${sections.join('\n\n')}\n\n${sums.length === 0 ? 'no problem was found' : sums.join(', ')}\n`;
}

function linesOf({ level, check, message, fix }: DiagnosedFinding): readonly string[] {
  const indent = LEVEL_WIDTH + CHECK_WIDTH;
  const [first = '', ...more] = wrap(oneLine(message), WIDTH - indent);
  return [
    `${level.padEnd(LEVEL_WIDTH)}${check.padEnd(CHECK_WIDTH)}${first}`,
    ...more.map((line) => `${' '.repeat(indent)}${line}`),
    ...(fix === undefined || level === 'ok' ? [] : [`${' '.repeat(LEVEL_WIDTH)}→ ${oneLine(fix)}`]),
  ];
}

/** Texts of the cluster are shown on a terminal: no control character of them may get there. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

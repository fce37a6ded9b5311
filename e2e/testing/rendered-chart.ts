import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';
import { parseAllDocuments } from 'yaml';

export const CHART = join(import.meta.dirname, '../../charts/large-payload-operator');

/** As Helm reads `--values`. */
export type Values = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: what is rendered is of any kind; assertions say what it should be
  readonly [field: string]: any;
}

export interface RenderOptions {
  readonly release?: string;
  readonly chart?: string;
  /** flags of `helm template` */
  readonly flags?: readonly string[];
}

/** What a release in the namespace `operators` would consist of, hooks included. @throws Error with Helm's own words */
export async function renderChart(
  helm: string,
  values: Values = {},
  { release = 'payloads', chart = CHART, flags = [] }: RenderOptions = {},
): Promise<Manifest[]> {
  const args = ['template', release, chart, '--namespace', 'operators', '--values', '-', ...flags];
  const text = await runCommand(helm, args, { input: JSON.stringify(values) });
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
      return document.toJS() as Manifest;
    })
    .filter((manifest) => manifest !== null);
}

/** What Helm tells after an installation: `helm template` renders it only as a part of something else. */
export async function renderNotes(helm: string, values: Values = {}): Promise<string> {
  const chart = mkdtempSync(join(tmpdir(), 'chart-'));
  try {
    cpSync(CHART, chart, { recursive: true });
    const template = `kind: Notes\ntext: {{ include (print .Template.BasePath "/NOTES.txt") . | toJson }}\n`;
    writeFileSync(join(chart, 'templates/notes.yaml'), template);
    const [notes] = (await renderChart(helm, values, { chart })).filter(({ kind }) => kind === 'Notes');
    return notes?.text;
  } finally {
    rmSync(chart, { recursive: true });
  }
}

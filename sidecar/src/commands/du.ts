import { adminLines } from '../cli/admin-client.ts';
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { humanBytes } from '../cli/human.ts';
import { ADMIN_URL_OPTION } from '../cli/service-url.ts';
import type { Usage } from '../retention/usage.ts';

export const command: Command = {
  name: 'du',
  summary: 'Shows what is stored, by expiry window and Temporal namespace.',
  options: {
    'admin-url': ADMIN_URL_OPTION,
    json: { help: 'print one JSON object a line, also on a terminal' },
  },
  notes: 'Counts as it lists, so a large store takes a while; "blobs" is what is kept for ever.',
  run,
};

async function run(values: Values): Promise<void> {
  const human = process.stdout.isTTY && values.json !== true;
  const total = { window: 'total', namespace: '', objects: 0, bytes: 0 };
  if (human) process.stdout.write(`${'PAYLOADS'.padStart(10)}  ${'SIZE'.padStart(10)}  WINDOW / NAMESPACE\n`);
  for await (const usage of finalSums(stringOption(command, values, 'admin-url'), human)) {
    total.objects += usage.objects;
    total.bytes += usage.bytes;
    process.stdout.write(human ? `\r${row(usage)}\u001b[K\n` : `${JSON.stringify(usage)}\n`);
  }
  const { objects, bytes } = total;
  process.stdout.write(human ? `${row(total)}\n` : `${JSON.stringify({ total: { objects, bytes } })}\n`);
}

/** The last sum of each window and namespace; on a terminal those before it are shown in its place. */
async function* finalSums(adminUrl: string, human: boolean): AsyncGenerator<Usage> {
  let last: Usage | undefined;
  for await (const usage of adminLines<Usage>('GET', adminUrl, 'usage')) {
    const isNext = last?.window !== usage.window || last?.namespace !== usage.namespace;
    if (last !== undefined && isNext) yield last;
    if (human) process.stdout.write(`\r${row(usage)}\u001b[K`);
    last = usage;
  }
  if (last !== undefined) yield last;
}

function row({ window, namespace, objects, bytes }: Usage): string {
  const place = [window, namespace].filter((part) => part !== '').join(' / ');
  return `${String(objects).padStart(10)}  ${humanBytes(bytes).padStart(10)}  ${place}`;
}

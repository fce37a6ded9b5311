import type { Usage } from '../retention/usage.ts';
import { adminLines } from './admin-client.ts';
import { type Command, stringOption, type Values } from './command.ts';
import { humanBytes } from './human.ts';
import { ADMIN_URL_OPTION } from './service-url.ts';

export const du: Command = {
  name: 'du',
  summary: 'Shows what is stored, by expiry window and Temporal namespace.',
  positionals: [],
  options: {
    'admin-url': ADMIN_URL_OPTION,
    json: { type: 'boolean', help: 'print one JSON object a line, also on a terminal' },
  },
  notes: 'Counts as it lists, so a large store takes a while; "blobs" is what is kept for ever.',
  run,
};

async function run(_positionals: readonly string[], values: Values): Promise<void> {
  const human = process.stdout.isTTY && values.json !== true;
  const total = { window: 'total', namespace: '', objects: 0, bytes: 0 };
  const print = (usage: Usage) => process.stdout.write(human ? row(usage) : `${JSON.stringify(usage)}\n`);
  if (human) process.stdout.write(`${'PAYLOADS'.padStart(10)}  ${'SIZE'.padStart(10)}  WINDOW / NAMESPACE\n`);
  for await (const usage of adminLines<Usage>('GET', stringOption(du, values, 'admin-url'), 'usage')) {
    total.objects += usage.objects;
    total.bytes += usage.bytes;
    print(usage);
  }
  if (human) print(total);
  else process.stdout.write(`${JSON.stringify({ total: { objects: total.objects, bytes: total.bytes } })}\n`);
}

function row({ window, namespace, objects, bytes }: Usage): string {
  const place = [window, namespace].filter((part) => part !== '').join(' / ');
  return `${String(objects).padStart(10)}  ${humanBytes(bytes).padStart(10)}  ${place}\n`;
}

import { parseDuration } from '@largepayload/crds/duration';
import type { WindowProgress } from '../retention/sweep.ts';
import { adminLines } from './admin-client.ts';
import { type Command, stringOption, type Values } from './command.ts';
import { UsageError } from './exit-codes.ts';
import { humanBytes, humanCount } from './human.ts';
import { ADMIN_URL_OPTION } from './service-url.ts';

export const command: Command = {
  name: 'cleanup',
  summary:
    'Deletes payloads before their TTL is over: every expiry window whose youngest payload is older than AGE.',
  positionals: [],
  options: {
    'older-than': { type: 'string', placeholder: 'AGE', help: 'such as 30s, 12h or 7d', required: true },
    'dry-run': { type: 'boolean', help: 'only count what would be deleted' },
    'admin-url': ADMIN_URL_OPTION,
    json: { type: 'boolean', help: 'print one JSON object a line, also on a terminal' },
  },
  notes:
    'Workflows that still refer to what is deleted cannot read it any more. Payloads kept for ever stay.',
  run,
};

async function run(_positionals: readonly string[], values: Values): Promise<void> {
  const age = ageOf(String(values['older-than']));
  const dryRun = values['dry-run'] === true;
  const path = `cleanup?age=${age}${dryRun ? '&dry-run' : ''}`;
  const windows = new Map<string, WindowProgress>();
  const human = process.stdout.isTTY && values.json !== true;
  for await (const progress of adminLines<WindowProgress>(
    'POST',
    stringOption(command, values, 'admin-url'),
    path,
  )) {
    windows.set(progress.window, progress);
    if (human) process.stdout.write(`\r${describe(progress)}\u001b[K`);
  }
  const total = { objects: 0, bytes: 0 };
  for (const { objects, bytes } of windows.values()) {
    total.objects += objects;
    total.bytes += bytes;
  }
  if (human) {
    const verb = dryRun ? 'would delete' : 'deleted';
    for (const progress of windows.values()) process.stdout.write(`\r${describe(progress)}\u001b[K\n`);
    process.stdout.write(
      `\r${verb} ${humanCount(total.objects, 'payload')}, ${humanBytes(total.bytes)}\u001b[K\n`,
    );
    return;
  }
  process.stdout.write(`${JSON.stringify({ ...total, dryRun, windows: [...windows.values()] })}\n`);
}

/** @throws UsageError for what the service would refuse */
function ageOf(text: string): string {
  try {
    parseDuration(text);
    return text;
  } catch {
    throw new UsageError(`--older-than takes an age such as 30s, 12h or 7d, not "${text}"`);
  }
}

function describe({ window, objects, bytes }: WindowProgress): string {
  return `${window}  ${humanCount(objects, 'payload')}, ${humanBytes(bytes)}`;
}

import { parseDuration } from '@largepayload/crds/duration';
import { adminLines } from '../cli/admin-client.ts';
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { humanBytes, humanCount } from '../cli/human.ts';
import { ADMIN_URL_OPTION } from '../cli/service-url.ts';
import type { WindowProgress } from '../retention/sweep.ts';

export const command: Command = {
  name: 'cleanup',
  summary:
    'Deletes payloads before their TTL is over: every expiry window whose youngest payload is older than AGE.',
  options: {
    'older-than': { placeholder: 'AGE', help: 'such as 30s, 12h or 7d', required: true },
    'dry-run': { help: 'only count what would be deleted' },
    'admin-url': ADMIN_URL_OPTION,
    json: { help: 'print one JSON object a line, also on a terminal' },
  },
  notes:
    'Workflows that still refer to what is deleted cannot read it any more. Payloads kept for ever stay.',
  run,
};

async function run(values: Values): Promise<void> {
  const dryRun = values['dry-run'] === true;
  const path = `cleanup?age=${ageOf(String(values['older-than']))}${dryRun ? '&dry-run' : ''}`;
  const adminUrl = stringOption(command, values, 'admin-url');
  const human = process.stdout.isTTY && values.json !== true;
  /** The last progress of each. */
  const windows = new Map<string, WindowProgress>();
  for await (const progress of adminLines<WindowProgress>('POST', adminUrl, path)) {
    windows.set(progress.window, progress);
    if (human) process.stdout.write(`\r${describe(progress)}\u001b[K`);
  }
  const all = [...windows.values()];
  const objects = all.reduce((sum, window) => sum + window.objects, 0);
  const bytes = all.reduce((sum, window) => sum + window.bytes, 0);
  if (!human) {
    process.stdout.write(`${JSON.stringify({ objects, bytes, dryRun, windows: all })}\n`);
    return;
  }
  for (const progress of all) process.stdout.write(`\r${describe(progress)}\u001b[K\n`);
  const verb = dryRun ? 'would delete' : 'deleted';
  process.stdout.write(`\r${verb} ${humanCount(objects, 'payload')}, ${humanBytes(bytes)}\u001b[K\n`);
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

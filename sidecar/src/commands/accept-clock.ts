import { adminLines } from '../cli/admin-client.ts';
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { ADMIN_URL_OPTION } from '../cli/service-url.ts';
import type { AcceptedClock } from '../storage-records/clock/clock-keeper.ts';

export const command: Command = {
  name: 'accept-clock',
  summary: "Says that the service's clock is right, whatever was learned before.",
  options: {
    'admin-url': ADMIN_URL_OPTION,
    json: { help: 'print one JSON object, also on a terminal' },
  },
  notes: `Deletion that waits since the clock was far ahead of the last known time goes on, deletion that lags since the clock was
set forward catches up, and payloads are stored again where the clock was behind. Look at the clock before: with a wrong one
payloads may be deleted early. Gateways and standalone services write it to the storage; a reaper alone accepts it for
itself, until it ends.`,
  run,
};

async function run(values: Values): Promise<void> {
  const human = process.stdout.isTTY && values.json !== true;
  const adminUrl = stringOption(command, values, 'admin-url');
  for await (const accepted of adminLines<AcceptedClock>('POST', adminUrl, 'accept-clock'))
    process.stdout.write(`${human ? describe(accepted) : JSON.stringify(accepted)}\n`);
}

function describe({ time, mark, difference, written }: AcceptedClock): string {
  const before =
    mark === null ? 'no time was known before' : `${difference} s ahead of the latest known time, ${mark}`;
  const kept = written ? 'kept in the storage (clock.json)' : 'known to this process only, until it ends';
  return `accepted: the clock shows ${time}; ${before}; ${kept}`;
}

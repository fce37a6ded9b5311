// In a process of its own: what it holds at most while it encodes many payloads, beside what it held before it made them.
import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { LargePayloadCodec } from '@largepayload/codec';
import { memoryOf } from '@largepayload/testing/processes/process-facts';
import type { Payload } from '@temporalio/common';

const MIB = 1024 ** 2;
const RESET_PEAK = '5';

const [url = '', count = '0', size = '0'] = process.argv.slice(2);
const codec = new LargePayloadCodec({ url, namespace: 'bench' });
await codec.encode([payloadOf(MIB)]);

const before = memoryOf(process.pid, 'VmRSS');
const payloads = Array.from({ length: Number(count) }, () => payloadOf(Number(size)));
writeFileSync('/proc/self/clear_refs', RESET_PEAK);
await codec.encode(payloads);
process.stdout.write(`${memoryOf(process.pid, 'VmHWM') - before}\n`);

function payloadOf(bytes: number): Payload {
  const data = new Uint8Array(bytes);
  randomFillSync(data);
  return { metadata: { encoding: Buffer.from('binary/plain') }, data };
}

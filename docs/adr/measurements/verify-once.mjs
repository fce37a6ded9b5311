// node docs/adr/measurements/verify-once.mjs: processor time of a check by SHA-256, of one that also makes a tag, and of a
// check by tag; and the memory of the table of tags.
import { hash, randomBytes } from 'node:crypto';
import { TagChecks } from '../../../sidecar/src/bytes/check-by-tag.ts';
import { TagTable } from '../../../sidecar/src/bytes/tag-table.ts';
import { checkByHash } from '../../../sidecar/src/bytes/verified-body.ts';

const KIB = 1024;
const GIB = 2 ** 30;
const ROUNDS = 5;
const CHUNK = 512 * KIB;
/** So many that nearly each page of the table is touched. */
const TOUCHED = 4_000;

console.log('| payload | SHA-256 | SHA-256 and a tag | tag | µs: SHA-256, both, tag |');
console.log('|---|---:|---:|---:|---:|');
for (const kib of [64, 128, 512, 1024, 16_384]) {
  const size = kib * KIB;
  const bytes = randomBytes(size);
  const times = Math.max(4, Math.min(400, Math.floor((128 * KIB * KIB) / size)));
  // Payloads that differ in their first bytes, so that each is new to the checks once.
  const payloads = Array.from({ length: times * ROUNDS }, (_, index) => {
    bytes.writeUInt32BE(index);
    return { index, facts: { size, digest: `sha256:${hash('sha256', bytes, 'hex')}` } };
  });
  const checks = new TagChecks();
  touch(checks);
  const ways = {
    hash: checkByHash,
    both: (facts) => checks.begin(facts),
    tag: (facts) => checks.begin(facts),
  };
  const costs = { hash: [], both: [], tag: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const some = payloads.slice(round * times, (round + 1) * times);
    for (const [name, begin] of Object.entries(ways)) costs[name].push(microsecondsOf(begin, bytes, some));
  }
  const [hashed, both, tag] = Object.values(costs).map((all) => all.toSorted((a, b) => a - b)[ROUNDS >> 1]);
  const perGib = [hashed, both, tag].map((each) => ((each / 1e6) * (GIB / size)).toFixed(2)).join(' | ');
  console.log(
    `| ${kib} KiB | ${perGib} | ${[hashed, both, tag].map((each) => each.toFixed(1)).join(', ')} |`,
  );
}
console.log('CPU-seconds a GiB, except in the last column\n');

const { arrayBuffers } = process.memoryUsage();
const table = new TagTable();
const bytesOfTable = process.memoryUsage().arrayBuffers - arrayBuffers;
const digests = Array.from({ length: 65_536 }, () => randomBytes(32));
for (const [index, digest] of digests.entries())
  table.put(digest, { tag: randomBytes(16), number: index + 1 });
const kept = digests.filter((digest) => table.find(digest) !== undefined).length;
console.log(`the table: ${bytesOfTable / digests.length} bytes an entry; of 65,536 tags it keeps ${kept}`);

/** The first use of a page of memory costs some microseconds, once. */
function touch(checks) {
  const bytes = Buffer.alloc(64 * KIB);
  for (let index = 0; index < TOUCHED; index += 1) {
    bytes.writeUInt32BE(index);
    check(checks.begin({ size: bytes.length, digest: `sha256:${hash('sha256', bytes, 'hex')}` }), bytes);
  }
}

/** In chunks, as a driver reads them. */
function check(begun, bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK) begun.take(bytes.subarray(at, at + CHUNK));
  if (begun.finish() !== undefined) throw new Error('the bytes are right');
}

function microsecondsOf(begin, bytes, payloads) {
  const before = process.cpuUsage();
  for (const { index, facts } of payloads) {
    bytes.writeUInt32BE(index);
    check(begin(facts), bytes);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / payloads.length;
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { writeCertificates } from '@largepayload/testing/cluster/certificates';
import { expect, onTestFinished, test } from 'vitest';
import { runHostileAnswers } from './hostile-run.fixture.ts';

const seed = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 1_000_000));
const ROUND = 4_000;
/** With those over TLS, 100,000 answers. */
const ROUNDS = 24;
const MOST_GROWTH = 32 * 1024 * 1024;

/** Bytes that are in use after a collection. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`of ${ROUND * ROUNDS} random answers none is delivered that cannot be believed, and no memory is left (HOSTILE_SEED=${seed})`, async () => {
  let before = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { refused, delivered } = await runHostileAnswers({ seed: seed + round, count: ROUND });
    expect(Math.min(refused, delivered)).toBeGreaterThan(ROUND / 10);
    if (round === 0) before = memoryInUse();
  }
  expect(memoryInUse() - before).toBeLessThan(MOST_GROWTH);
}, 900_000);

test(`of ${ROUND} random answers over TLS none is delivered that cannot be believed (HOSTILE_SEED=${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await writeCertificates(folder, [{ name: 'server', subject: '/CN=server', addresses: ['DNS:localhost'] }]);
  const [authority, key, cert] = ['ca.crt', 'server.key', 'server.crt'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  const tls = { server: { key, cert }, authority: authority ?? '' };
  const { refused, delivered } = await runHostileAnswers({ seed, count: ROUND, tls });
  expect(Math.min(refused, delivered)).toBeGreaterThan(ROUND / 10);
}, 900_000);

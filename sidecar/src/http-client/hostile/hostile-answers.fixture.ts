import { seededRandom } from '@largepayload/testing/fault-proxy/random';
import { type HostileAnswer, pick } from './answer-bytes.fixture.ts';
import { SOUND } from './sound-answers.fixture.ts';
import { UNSOUND } from './unsound-answers.fixture.ts';

/** The answer to the request of this number. Its bytes belong to no other number. */
export function hostileAnswer(seed: number, number: number): HostileAnswer {
  const random = seededRandom(seed * 1_000_003 + number);
  for (let skipped = 0; skipped < 8; skipped += 1) random();
  return pick(random, random() < 0.4 ? SOUND : UNSOUND)(random, number);
}

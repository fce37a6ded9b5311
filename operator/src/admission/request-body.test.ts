import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { BodyBudget } from './request-body.ts';

const MIB = Buffer.alloc(1024 * 1024);
const request = (...chunks: readonly Buffer[]) => Readable.from(chunks) as IncomingMessage;
const largest = () => request(...Array(8).fill(MIB));

test('a body is read up to 8 MiB, and no further', async () => {
  const budget = new BodyBudget();
  const sizeOf = async (body: Buffer) => body.length;
  expect(await budget.reading(request(Buffer.from('a'), MIB), sizeOf)).toBe(MIB.length + 1);
  expect(await budget.reading(largest(), sizeOf)).toBe(8 * MIB.length);
  const endless = request(...Array(9).fill(MIB));
  await expect(budget.reading(endless, sizeOf)).rejects.toMatchObject({ status: 413 });
  expect(endless.destroyed).toBe(true);
});

test('bodies of more bytes than all may hold together are refused until others have ended, however those end', async () => {
  const budget = new BodyBudget();
  const { promise, resolve } = Promise.withResolvers<void>();
  let read = 0;
  const hold = () => {
    read += 1;
    return promise;
  };
  const held = Array.from({ length: 4 }, () => budget.reading(largest(), hold));
  await eventually('four are read', () => read === 4);
  const failing = () => budget.reading(request(Buffer.from('a')), () => Promise.reject(new Error('refused')));
  await expect(failing()).rejects.toMatchObject({ status: 503 });
  resolve();
  await Promise.all(held);
  for (let time = 0; time < 40; time += 1) await expect(failing()).rejects.toThrow('refused');
  const broken = new Readable({ read() {} });
  const reading = budget.reading(broken as IncomingMessage, () => promise);
  broken.push(MIB);
  broken.destroy(new Error('the connection broke'));
  await expect(reading).rejects.toThrow('the connection broke');
  await Promise.all(Array.from({ length: 4 }, () => budget.reading(largest(), () => promise)));
});

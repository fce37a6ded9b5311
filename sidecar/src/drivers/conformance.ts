import { describe } from 'vitest';
import { describeDelete } from './conformance/delete.ts';
import { describeFailedPut } from './conformance/failed-put.ts';
import { describeList } from './conformance/list.ts';
import { describePut } from './conformance/put.ts';
import { describeRead } from './conformance/read.ts';
import type { DriverSubject } from './conformance/subject.ts';
import { describeWriter } from './conformance/writer.ts';

/** The contract of `Driver` as tests: every driver's test file runs them, unchanged, with the capabilities it declares. */
export function describeDriver(subject: DriverSubject): void {
  describe(`the ${subject.name} driver`, () => {
    describe('put', () => describePut(subject));
    describe('a writer', () => describeWriter(subject));
    describe('a put that fails', () => describeFailedPut(subject));
    describe('open', () => describeRead(subject));
    describe('list', () => describeList(subject));
    describe('delete and currentTime', () => describeDelete(subject));
  });
}

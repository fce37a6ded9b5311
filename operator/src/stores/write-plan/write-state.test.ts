import { expect, test } from 'vitest';
import { DEPLOYMENTS } from '../../kubernetes/resources.ts';
import type { ObservedObject } from '../observed.ts';
import { deploymentOf } from '../situation.fixture.ts';
import { desiredFor, store } from '../stores.fixture.ts';
import type { WriteAction, WriteOutcome } from './write-action.ts';
import {
  beginRound,
  foreignObjects,
  NOTHING_WRITTEN,
  record,
  refusalsOf,
  type WriteState,
} from './write-state.ts';

const MESSAGE = 'Internal error occurred: conversion webhook for apps/v1 failed';
const [desired] = desiredFor().slice(-2);
if (desired === undefined) throw new Error('nothing is desired');
const APPLY: WriteAction = { kind: 'apply', desired, force: false };
const REFUSAL = { resource: DEPLOYMENTS, namespace: 'payments', name: 'orders-gateway', message: MESSAGE };
const FAILED: WriteOutcome = { kind: 'failed', refusal: REFUSAL };
const live: ObservedObject = deploymentOf(desiredFor(), 'gateway');
const APPLIED: WriteOutcome = { kind: 'applied', object: live };

/** The state after a round in which one apply had this outcome. */
const afterRound = (state: WriteState, outcome: WriteOutcome, nowMs: number) =>
  record(beginRound(state, store(), nowMs), APPLY, outcome, nowMs);

test('a failure is reported with the object that could not be written once it has lasted 20 s', () => {
  const first = afterRound(NOTHING_WRITTEN, FAILED, 0);
  expect(refusalsOf(first, 0)).toEqual([]);
  const second = afterRound(first, FAILED, 19_999);
  expect(refusalsOf(second, 19_999)).toEqual([]);
  const third = afterRound(second, FAILED, 20_000);
  expect(refusalsOf(third, 20_000)).toMatchObject([
    { resource: DEPLOYMENTS, name: 'orders-gateway', message: expect.stringContaining(MESSAGE) },
  ]);
});

test('a failure that passes is not reported, and its time begins anew with the next one', () => {
  const mended = afterRound(afterRound(NOTHING_WRITTEN, FAILED, 0), APPLIED, 10_000);
  expect(refusalsOf(mended, 30_000)).toEqual([]);
  expect(refusalsOf(afterRound(mended, FAILED, 30_000), 30_000)).toEqual([]);
});

test('a refusal is reported in its round only', () => {
  const refused = afterRound(NOTHING_WRITTEN, { kind: 'refused', status: 403, refusal: REFUSAL }, 0);
  expect(refusalsOf(refused, 0)).toEqual([REFUSAL]);
  expect(refusalsOf(beginRound(refused, store(), 0), 0)).toEqual([]);
});

test('an object that a look finds is remembered as foreign until it is gone, becomes ours or is applied', () => {
  const look: WriteAction = { kind: 'look', desired };
  const theirs = { ...live, store: undefined, controller: 'another uid' };
  const found = record(NOTHING_WRITTEN, look, { kind: 'found', object: theirs }, 0);
  expect(foreignObjects(beginRound(found, store(), 0), store())).toEqual([theirs]);
  expect(foreignObjects(record(found, look, { kind: 'found', object: undefined }, 1), store())).toEqual([]);
  expect(foreignObjects(record(found, look, { kind: 'found', object: live }, 1), store())).toEqual([]);
  expect(foreignObjects(record(found, APPLY, APPLIED, 1), store())).toEqual([]);
});

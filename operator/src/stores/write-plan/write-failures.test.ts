import { expect, test } from 'vitest';
import { ApiError } from '../../kubernetes/api.ts';
import { refusal } from '../../kubernetes/api-failures.ts';
import { DEPLOYMENTS } from '../../kubernetes/resources.ts';
import { desiredFor } from '../stores.fixture.ts';
import { WriteFailures } from './write-failures.ts';

const WORDS = 'Internal error occurred: conversion webhook for apps/v1 failed';
const status = { kind: 'Status', message: WORDS, reason: 'InternalError', code: 500 };
const FAILURE = refusal(
  'apply deployments payments/orders-gateway',
  { statusCode: 500, headers: {} },
  JSON.stringify(status),
);

test('a failure that lasts is told with the object that could not be written', () => {
  const failures = new WriteFailures();
  expect(failures.failed(FAILURE, desiredFor(), 0)).toEqual([]);
  expect(failures.failed(FAILURE, desiredFor(), 19_999)).toEqual([]);
  expect(failures.failed(FAILURE, desiredFor(), 20_000)).toMatchObject([
    { resource: DEPLOYMENTS, name: 'orders-gateway', message: expect.stringContaining(WORDS) },
  ]);
});

test('one that passes is not told', () => {
  const failures = new WriteFailures();
  failures.failed(FAILURE, desiredFor(), 0);
  failures.succeeded();
  expect(failures.failed(FAILURE, desiredFor(), 30_000)).toEqual([]);
});

test('what says of no object of the store that it failed is not told', () => {
  const failures = new WriteFailures();
  const other = new ApiError('get leases large-payload/operator: no usable answer', { status: 0 });
  failures.failed(other, desiredFor(), 0);
  expect(failures.failed(other, desiredFor(), 30_000)).toEqual([]);
  expect(failures.failed('text', desiredFor(), 30_000)).toEqual([]);
});

import { AUTHENTICATION_CASES } from './authentication.fixture.ts';
import type { Case } from './case.fixture.ts';
import { REAPER_CASES } from './reaper.fixture.ts';
import { REFUSED_CASES } from './refused.fixture.ts';
import { RESOURCE_CASES } from './resource.fixture.ts';
import { START_CASES } from './start.fixture.ts';
import { STORAGE_CASES } from './storage.fixture.ts';
import { WELL_CASES } from './well.fixture.ts';

export const CASES: readonly Case[] = [
  ...WELL_CASES,
  ...RESOURCE_CASES,
  ...REFUSED_CASES,
  ...START_CASES,
  ...STORAGE_CASES,
  ...REAPER_CASES,
  ...AUTHENTICATION_CASES,
];

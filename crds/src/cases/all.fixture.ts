import { callerCases } from './callers.fixture.ts';
import type { StoreCase } from './case.fixture.ts';
import { fieldCases } from './fields.fixture.ts';
import { patternCases } from './patterns.fixture.ts';
import { ruleCases } from './rules.fixture.ts';

export const storeCases: readonly StoreCase[] = [
  ...ruleCases,
  ...fieldCases,
  ...patternCases,
  ...callerCases,
];

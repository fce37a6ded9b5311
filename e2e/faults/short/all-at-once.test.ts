import { describeFaultRuns } from '../fault-runs.fixture.ts';
import { runs } from '../runs.fixture.ts';
import { ALL_AT_ONCE } from '../scenarios.fixture.ts';

describeFaultRuns(runs, [ALL_AT_ONCE]);

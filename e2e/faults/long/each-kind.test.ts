import { describeFaultRuns } from '../fault-runs.fixture.ts';
import { runs } from '../runs.fixture.ts';
import { EACH_KIND } from '../scenarios.fixture.ts';

// On one server only: the servers differ in how they take several faults at once.
describeFaultRuns(
  runs.filter(({ server }) => server === 'versitygw'),
  EACH_KIND,
);

// node sidecar/bench/scale/scale.ts prints the figures of docs/scale.md; --write puts them there.
import { writeFigures } from '@largepayload/testing/benchmarks/figures';
import '../../src/runtime-settings.ts';
import { machineFacts, measured } from '@largepayload/testing/benchmarks/measuring';
import { perCoreTable } from './per-core.ts';
import { reaperPassTables } from './reaper-pass.ts';
import { windowBoundaryTable } from './window-boundary.ts';

const machine = `Measured by \`make bench-scale\` on ${machineFacts()}.`;
const figures = {
  'scale-core': perCoreTable(),
  'scale-reaper': `${machine}\n\n${await measured('passes of the reaper', reaperPassTables)}`,
  'scale-boundary': `${machine}\n\n${await measured('window boundary', windowBoundaryTable)}`,
};
for (const [name, text] of Object.entries(figures)) {
  process.stdout.write(`${text}\n\n`);
  if (process.argv.includes('--write')) writeFigures('docs/scale.md', name, text);
}

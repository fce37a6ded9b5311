import { startBed } from './bed.ts';
import { start } from './measurements.ts';

await using bed = await startBed(1000, process.argv.slice(2));
for (const what of ['cold', 'warm']) {
  const { operator, ...m } = await start(bed);
  console.log(what, JSON.stringify(m));
  await operator.stop();
}

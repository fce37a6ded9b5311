import { parseJsonLine } from '@largepayload/testing/processes/json-line';
import type { Program } from '@largepayload/testing/processes/program';
import { payloadStore, type TestBed } from './workflow-setup.fixture.ts';

/** Starts the codec server for the store of this test bed, at the address that the suite's Web UI calls. */
export async function startCodecServer(bed: TestBed): Promise<Program> {
  const { uiUrl, codecServer } = bed.suite;
  return await bed.startProgram(
    {
      name: 'codec-server',
      command: process.execPath,
      args: [
        ...[payloadStore, 'codec-server', '--url', bed.serviceUrl],
        ...['--listen', codecServer.listen, '--allow-origin', uiUrl],
      ],
    },
    (line) => (parseJsonLine(line, 'listening') === undefined ? undefined : true),
  );
}

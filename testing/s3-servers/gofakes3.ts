import { freePorts } from '../processes/free-port.ts';
import { type GoProgram, goProgram } from '../programs/go-program.ts';
import { type S3Server, startServer } from './s3-server.ts';

export const GOFAKES3: GoProgram = {
  package: 'github.com/johannesboyne/gofakes3/cmd/gofakes3',
  version: 'v1.2.0',
};

/** gofakes3, which keeps objects in memory and checks no credentials. @throws MissingProgramError without Go */
export async function startGofakes3(): Promise<S3Server> {
  const command = await goProgram(GOFAKES3, (line) => console.info(line));
  const [port] = await freePorts(1);
  return await startServer({
    name: 'gofakes3',
    endpoint: `http://127.0.0.1:${port}`,
    command,
    args: () => ['-backend', 'memory', '-host', `127.0.0.1:${port}`],
  });
}

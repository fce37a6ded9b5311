import { freePorts } from '../processes/free-port.ts';
import { type GoProgram, goProgram } from '../programs/go-program.ts';
import { ACCESS_KEY, type S3Server, SECRET_KEY, startServer } from './s3-server.ts';

/** The last commit of the project. Go's module proxy does not know the names of its releases. */
export const MINIO: GoProgram = {
  package: 'github.com/minio/minio',
  version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
};

/** MinIO on one folder. @throws MissingProgramError without Go */
export async function startMinio(): Promise<S3Server> {
  const command = await goProgram(MINIO, (line) => console.info(line));
  const [port, console_] = await freePorts(2);
  return await startServer({
    name: 'minio',
    endpoint: `http://127.0.0.1:${port}`,
    command,
    args: (folder) => [
      ...['server', `${folder}/data`, '--certs-dir', `${folder}/certificates`],
      ...['--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${console_}`],
    ],
    env: {
      MINIO_ROOT_USER: ACCESS_KEY,
      MINIO_ROOT_PASSWORD: SECRET_KEY,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CALLHOME_ENABLE: 'off',
    },
  });
}

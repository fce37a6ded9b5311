import type { Logger } from 'pino';

/** Resolves when SIGTERM or SIGINT has come and the server has stopped. */
export function untilStopped(server: { stop(): Promise<void> }, log: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      // Through a wrapper such as npm, one Ctrl-C arrives twice; the second one must not end requests in flight.
      if (stopping) return;
      stopping = true;
      log.info({ signal }, 'draining');
      server.stop().then(() => {
        log.info('stopped');
        resolve();
      }, reject);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}

/** The error of a port that cannot be listened on, with the options that choose another; any other error as it is. */
export function withPortHint(
  error: NodeJS.ErrnoException & { address?: string; port?: number },
  options: string,
): Error {
  if (error.syscall !== 'listen') return error;
  const place = `${error.address}:${error.port}`;
  const reason =
    error.code === 'EADDRINUSE'
      ? `the port is in use; choose another with ${options} (port 0: any free one)`
      : error.message;
  return new Error(`cannot listen on ${place}: ${reason}`, { cause: error });
}

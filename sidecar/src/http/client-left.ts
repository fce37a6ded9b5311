import type { ServerResponse } from 'node:http';
import { ServiceError } from '../errors/service-error.ts';

/** Aborts the work for a response when its client leaves before it is sent. */
export function abortWhenClientLeaves(response: ServerResponse, stop: AbortController): void {
  response.once('close', () => {
    if (!response.writableFinished) stop.abort(new ServiceError('body_incomplete', 'the client left'));
  });
}

import { isLoopback } from '@largepayload/codec/wire/loopback';
import { parseDuration, type StatusReport } from '@largepayload/crds';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { buildApp } from '../http/app.ts';
import type { Route } from '../http/error-answers.ts';
import { type CleanupParts, cleanup } from '../retention/cleanup.ts';
import { usage } from '../retention/usage.ts';
import type { AcceptedClock, ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import { LineWorks } from './line-works.ts';
import { OPERATIONS_SERVER } from './operations-server.ts';

export interface AdminContext extends CleanupParts {
  readonly status: () => Promise<StatusReport>;
  readonly clockKeeper: Pick<ClockKeeper, 'refresh' | 'accept'>;
  /** whether this process is the one of its store that deletes */
  readonly mayDelete: boolean;
  readonly log: FastifyBaseLogger;
}

/** The admin port. Whoever reaches it may delete, so it listens on loopback only and answers no web page. */
export function buildAdminServer(context: AdminContext): FastifyInstance {
  const works = new LineWorks();
  const { driver, status } = context;
  const route = (method: Route['method'], path: string, handler: Route['handler']): Route => ({
    ...{ method, url: `/admin/payload-store/${path}`, handler },
  });
  const app = buildApp(
    context.log,
    [
      route('GET', 'status', async (_request, reply) => reply.send(await status())),
      route('GET', 'usage', async (request, reply) =>
        works.send(request, reply, (signal) => usage(driver, signal)),
      ),
      route('POST', 'cleanup', async (request, reply) => {
        assertMayDelete(context);
        const { age, dryRun } = cleanupFields(request.query as Record<string, unknown>);
        return await works.send(request, reply, (signal) => cleanup(context, { age, dryRun, signal }));
      }),
      route('POST', 'accept-clock', async (request, reply) =>
        works.send(request, reply, () => acceptClock(context)),
      ),
    ],
    OPERATIONS_SERVER,
  );
  app.addHook('onRequest', async (request) => refuseBrowsers(request));
  return app;
}

/**
 * A page in a browser on this machine can reach loopback too: by a request of its own (it then bears `Origin`) or by
 * making its own name resolve to loopback (it then bears that name as `Host`).
 */
function refuseBrowsers({ headers }: FastifyRequest): void {
  const host = (headers.host ?? '').replace(/:[0-9]+$/, '');
  if (headers.origin === undefined && isLoopback(host)) return;
  throw new ServiceError('browser_refused', 'the admin port answers programs on this machine, not web pages');
}

function assertMayDelete({ mayDelete }: AdminContext): void {
  if (mayDelete) return;
  throw new ServiceError(
    'unknown_route',
    "a gateway has no right to delete from a bucket; ask the admin port of the store's reaper",
  );
}

function cleanupFields(query: Record<string, unknown>): { age: number; dryRun: boolean } {
  const dryRun = query['dry-run'];
  try {
    if (dryRun !== undefined && dryRun !== '' && dryRun !== 'true' && dryRun !== 'false') throw new Error();
    return { age: parseDuration(String(query.age)), dryRun: dryRun !== undefined && dryRun !== 'false' };
  } catch {
    throw new ServiceError('invalid_age', 'give age=AGE such as 30s, 12h or 7d, and dry-run to only count');
  }
}

async function* acceptClock({ clockKeeper, log }: AdminContext): AsyncGenerator<AcceptedClock> {
  const accepted = await clockKeeper.accept();
  log.warn({ accepted }, 'the clock was accepted by the admin port');
  yield accepted;
}

import type { PayloadService } from '../payload-service/payload-service.ts';
import type { PortParts } from './port-parts.ts';

export interface CacheParts extends Pick<PortParts, 'cacheBytes' | 'metrics' | 'log'> {
  readonly settings: Pick<PortParts['settings'], 'cacheSize'>;
}

/**
 * The service behind a cache, if the settings want one and the memory of the process has room for it. A cache saves requests
 * and nothing depends on it, so a process with too little memory gets a smaller one, or none, rather than no start.
 */
export async function withCache(
  service: PayloadService,
  { settings: { cacheSize: wanted = 0 }, cacheBytes, metrics, log }: CacheParts,
): Promise<PayloadService> {
  if (cacheBytes < wanted) {
    const outcome = cacheBytes === 0 ? 'there is no cache' : 'the cache is smaller than its setting';
    log.warn({ wanted, cacheBytes }, `${outcome}, as the memory limit of this process has no room for more`);
  }
  if (cacheBytes === 0) return service;
  const { CachedService } = await import('../payload-service/cache/cached-service.ts');
  const cached = new CachedService(service, { limitBytes: cacheBytes });
  metrics.watchCache(() => cached.figures);
  return cached;
}

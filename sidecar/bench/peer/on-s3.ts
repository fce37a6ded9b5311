import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { keepSomeKeys, type LoadOrder, runLoad, storedKeys } from '../load/load-client.ts';
import { inTurns, type Turn } from '../load/rounds.ts';
import { PROGRAM } from '../processes/servers.ts';
import { type Bed, type PeerRow, ROUNDS, SECONDS, type Size, WARM_UP_SECONDS } from './row.ts';
import { type Side, startPeer, startService } from './sides.ts';

/** PUT, the first GET of each payload, and GET of payloads that were read before. */
export async function onS3(
  where: PeerRow['where'],
  start: (...options: string[]) => Promise<S3Server>,
  sizes: readonly Size[],
  bed: Bed,
): Promise<PeerRow[]> {
  if (sizes.length === 0) return [];
  const server = await start('--keep-alive');
  const sides: Side[] = [];
  try {
    sides.push(await startService('ours', PROGRAM, server));
    sides.push(await startPeer(bed.programs.peer, server));
    if (bed.baseline !== undefined) sides.push(await startService('before', bed.baseline, server));
    const rows: PeerRow[] = [];
    for (const size of sizes) rows.push(...(await new Transfers(bed, server, sides, where, size).rows()));
    return rows;
  } finally {
    for (const side of sides) await side.stop();
    await server.stop();
  }
}

type Order = Omit<LoadOrder, 'verb'>;

/** Payloads of one size, moved by all sides. */
class Transfers {
  readonly #bed: Bed;
  readonly #server: S3Server;
  readonly #sides: readonly Side[];
  readonly #where: PeerRow['where'];
  readonly #size: Size;

  constructor(bed: Bed, server: S3Server, sides: readonly Side[], where: PeerRow['where'], size: Size) {
    this.#bed = bed;
    this.#server = server;
    this.#sides = sides;
    this.#where = where;
    this.#size = size;
  }

  async rows(): Promise<PeerRow[]> {
    for (const side of this.#sides) {
      const order = { ...this.#order(side, 'warm-up'), seconds: WARM_UP_SECONDS };
      await this.#put(side, order);
      await this.#get(side, { ...order, once: true });
      await this.#get(side, order);
    }
    const puts = await this.#inTurns('writer', (side, round) => this.#put(side, this.#order(side, round)));
    const firstGets = await this.#inTurns('reader', (side, round) =>
      this.#get(side, { ...this.#order(side, round), seconds: 0, once: true }),
    );
    for (const side of this.#sides)
      keepSomeKeys(this.#order(side, 0).keys, this.#repeated(side).keys, this.#size.repeated);
    const gets = await this.#inTurns('reader', (side) => this.#get(side, this.#repeated(side)));
    this.#removeStored();
    const row = { where: this.#where, size: this.#size.label, clients: this.#size.clients };
    return [
      { ...row, operation: 'PUT', rounds: puts },
      { ...row, operation: 'GET first', rounds: firstGets },
      { ...row, operation: 'GET repeated', rounds: gets },
    ];
  }

  #order(side: Side, round: number | 'warm-up'): Order {
    const { clients, size } = this.#size;
    const seed = `${side.name}-${round}`;
    return { clients, size, seconds: SECONDS, seed, keys: join(this.#bed.folder, `${seed}.json`) };
  }

  /** Payloads of the first round, which have been read once. */
  #repeated(side: Side): Order {
    return { ...this.#order(side, 0), keys: join(this.#bed.folder, `${side.name}-repeated.json`) };
  }

  async #put(side: Side, order: Order) {
    return await runLoad(this.#bed.programs.load, side.writer.port, { verb: 'put', ...order });
  }

  async #get(side: Side, order: Order) {
    return await runLoad(this.#bed.programs.load, side.reader.port, { verb: 'get', ...order });
  }

  async #inTurns(
    of: 'writer' | 'reader',
    work: (side: Side, round: number) => ReturnType<Turn['work']>,
  ): Promise<PeerRow['rounds']> {
    return await inTurns(ROUNDS, (round) =>
      this.#sides.map((side) => ({
        side: side.name,
        server: side[of],
        storagePid: this.#server.pid,
        work: () => work(side, round),
      })),
    );
  }

  /** Deletes the files in which versitygw keeps the objects, so that gibibytes need not be written to the disk. */
  #removeStored(): void {
    for (const side of this.#sides)
      for (const round of ['warm-up' as const, ...Array(ROUNDS).keys()])
        for (const key of storedKeys(this.#order(side, round).keys))
          rmSync(join(this.#server.folder, 'data', side.bucket, key), { force: true });
  }
}

import { randomBytes } from 'node:crypto';
import { constants, readFileSync, readlinkSync, unlink as unlinkWithCallback } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bootId } from '../../time/boot-time.ts';
import { FOLDER_MODE } from './directory-sync.ts';
import { errorCode, NO_SPACE, unless } from './failures.ts';
import { OpenFile } from './open-file.ts';

/** As `OpenFile`, cheaper than the function of `node:fs/promises`. */
const unlink = promisify(unlinkWithCallback);

/** The service's own folder inside the store's; no object name begins like it. */
export const OWN_FOLDER = '.payload-store';

/** No PUT takes longer than 15 minutes, so the process of a file that has not changed for this long has ended. */
const ABANDONED_AFTER_MS = 60 * 60 * 1_000;

export interface TemporaryFile {
  readonly path: string;
  readonly opened: OpenFile;
  /** Closes and removes the file, once; its content lives on under any name it was linked to. */
  discard(): Promise<void>;
}

/** This driver's folder for files that are not objects yet, on the same filesystem, so that they can be linked into place. */
export class TemporaryFiles {
  readonly #all: string;
  readonly #own: string;
  #count = 0;

  constructor(root: string) {
    this.#all = join(root, OWN_FOLDER, 'temporary');
    // One process may have several drivers on one folder.
    this.#own = join(this.#all, `${processName()}.${randomBytes(4).toString('hex')}`);
  }

  async prepare(): Promise<void> {
    // One by one: on a read-only filesystem Node's recursive mkdir reports ENOENT.
    for (const folder of [dirname(this.#all), this.#all])
      await unless(['EEXIST'], mkdir(folder, FOLDER_MODE));
    // On a full disk the reaper must begin all the same, to make room; the folder is made with the first file in it.
    await unless(['EEXIST', ...NO_SPACE], mkdir(this.#own, FOLDER_MODE));
  }

  async create(): Promise<TemporaryFile> {
    this.#count += 1;
    const path = join(this.#own, String(this.#count));
    const opened = await openNew(path).catch(async (error) => {
      // Another process swept this folder while we were idle for long. Only this folder is made again: when those above are
      // missing too, the store's filesystem is not mounted, and files in its place would be lost.
      if (errorCode(error) !== 'ENOENT') throw error;
      await unless(['EEXIST'], mkdir(this.#own, FOLDER_MODE));
      return openNew(path);
    });
    let discarded: Promise<void> | undefined;
    const discard = async () => {
      await opened.close();
      await unless(['ENOENT'], unlink(path));
    };
    return {
      path,
      opened,
      discard: () => {
        discarded ??= discard();
        return discarded;
      },
    };
  }

  /** The storage's clock (ms since the epoch), from a change that takes no space. */
  async touch(): Promise<number> {
    return (await unless(['ENOENT'], touch(this.#own))) ?? (await touch(this.#all));
  }

  /** Removes the folders of processes that have ended. `now` is the storage's clock, ms since the epoch. Returns how many. */
  async sweep(now: number): Promise<number> {
    let swept = 0;
    for (const name of await readdir(this.#all)) {
      const folder = join(this.#all, name);
      if (folder === this.#own || (await isInUse(name, folder, now))) continue;
      await rm(folder, { recursive: true, force: true });
      swept += 1;
    }
    return swept;
  }

  async remove(): Promise<void> {
    await rm(this.#own, { recursive: true, force: true });
  }
}

/** Changes only the time of change of the folder, and returns it (ms since the epoch). */
async function touch(folder: string): Promise<number> {
  const { mode } = await lstat(folder);
  await chmod(folder, mode & 0o7777);
  return (await lstat(folder)).ctimeMs;
}

function openNew(path: string): Promise<OpenFile> {
  return OpenFile.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
}

/**
 * We can see whether a process of our own pid namespace lives. For any other process (another container, another machine, an
 * earlier boot) only the age of its files decides.
 */
async function isInUse(name: string, folder: string, now: number): Promise<boolean> {
  const [host, pid, startTime] = name.split('.');
  if (host === hostName() && pid !== undefined) return startTimeOf(pid) === startTime;
  return (await newestChange(folder)) > now - ABANDONED_AFTER_MS;
}

async function newestChange(folder: string): Promise<number> {
  // Another process may sweep at the same time.
  const names = (await unless(['ENOENT', 'ENOTDIR'], readdir(folder))) ?? [];
  const paths = [folder, ...names.map((name) => join(folder, name))];
  let newest = 0;
  for (const path of paths) {
    const status = await unless(['ENOENT'], lstat(path));
    newest = Math.max(newest, status?.mtimeMs ?? 0);
  }
  return newest;
}

/** Boot and pid namespace, process id, and the tick it started at: process ids are used again, the three together are not. */
function processName(): string {
  return `${hostName()}.${process.pid}.${startTimeOf(String(process.pid)) ?? 'unknown'}`;
}

function hostName(): string {
  try {
    const pidNamespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
    return `${bootId()}-${pidNamespace}`;
  } catch {
    // Without /proc (not Linux) every start counts as another host, so only age decides there.
    return `unknown-${process.pid}-${Date.now()}`;
  }
}

/** Field 22 of /proc/PID/stat (proc(5)), counted after the command name, which may hold spaces and parentheses. */
function startTimeOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

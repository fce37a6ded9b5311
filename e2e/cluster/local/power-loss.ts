import { BIND_OWN_FOLDERS, type NodeSpace, OWN_FOLDERS } from './node-space.ts';

/** $0 is the node's folder. */
const LOSE_POWER = `
set -e
kill -9 -1
# Those that are left: the first process, the one it waits for, and this shell.
for _ in $(seq 600); do
  set -- /proc/[0-9]*
  [ $# -gt 3 ] || break
  sleep 0.1
done
[ $# -le 3 ] || { echo "processes that SIGKILL did not end: $*" >&2; exit 1; }
# With a folder go all mounts below it: roots and volumes of containers, and the networks of pods.
umount --lazy ${OWN_FOLDERS.join(' ')}
rm -rf "$0/root/run"
${BIND_OWN_FOLDERS}
`;

/**
 * Kills all processes of a node at once, and leaves it as a machine is after it has lost its power: mounts, networks of
 * pods and the content of /run are gone, other files are there. The node's own network stays, so that servers of the tests
 * in it go on. Nothing is started again.
 */
export async function losePower(space: NodeSpace): Promise<void> {
  await space.run('bash', '-c', LOSE_POWER, space.folder);
}

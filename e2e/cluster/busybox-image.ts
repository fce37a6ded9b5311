import { writeImageArchive } from './image-archive.ts';

/** Sleeps unless told otherwise, has `/bin/sh` and a name for each applet that tests use. */
export const BUSYBOX_IMAGE = 'localhost/busybox:1';

const APPLETS = ['sh', 'cat', 'echo', 'hostname', 'httpd', 'ls', 'nc', 'nslookup', 'sleep', 'touch'];
const SLEEP = ['/bin/sh', '-c', 'trap exit TERM INT; while :; do sleep 1000000 & wait $!; done'];

/** Writes the image of this machine's static busybox, with any more names. */
export async function writeBusyboxArchive(archive: string, ...moreNames: string[]): Promise<void> {
  const links = APPLETS.map((applet) => [`/bin/${applet}`, '-> busybox']);
  await writeImageArchive(
    {
      names: [BUSYBOX_IMAGE, ...moreNames],
      files: { '/bin/busybox': '/bin/busybox', ...Object.fromEntries(links) },
      entrypoint: SLEEP,
    },
    archive,
  );
}

import { writeImageArchive } from './image-archive.ts';

/** The image's default command sleeps. It has `/bin/sh`, and a name for each applet that tests use. */
export const BUSYBOX_IMAGE = 'localhost/busybox:1';

const APPLETS = ['sh', 'cat', 'echo', 'hostname', 'httpd', 'ls', 'nc', 'nslookup', 'sleep', 'touch'];
const SLEEP = ['/bin/sh', '-c', 'trap exit TERM INT; while :; do sleep 1000000 & wait $!; done'];

/** Writes an image with this machine's static busybox. */
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

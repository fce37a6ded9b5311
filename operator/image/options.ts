import { parseArgs } from 'node:util';
import rootPackage from '../../package.json' with { type: 'json' };

export const VERSION = rootPackage.version;

export interface ImageOptions {
  readonly image: string;
  /** `undefined`: that of the Dockerfile; `local`: made of this machine's Node and Debian */
  readonly base: string | undefined;
  /** path of a docker-archive */
  readonly archive: string | undefined;
  readonly help: boolean;
}

export const HELP = `Builds the image of the service and the operator, of which \`make build\` has made the programs.

Usage: node operator/image/build-image.ts [options]

Options:
  --image NAME                  [default: largepayload/payload-store:${VERSION}]
  --base IMAGE                  an image with Node 24 as its entry point [default: that of operator/Dockerfile];
                                local: made of this Node and this Debian's libraries, where no registry is reached
  --output docker-archive:FILE  a tar file, as \`docker save\` writes it and \`ctr images import\` reads it
                                [default: with Docker none; with buildah operator/dist/image.tar]

Docker is used where its daemon answers, else buildah, which leaves nothing but the archive behind.
`;

/** @throws Error that tells how to write it */
export function parseOptions(args: readonly string[]): ImageOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: 'string', default: `largepayload/payload-store:${VERSION}` },
      base: { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const archive = values.output?.replace(/^docker-archive:/, '');
  if (values.output !== undefined && (archive === values.output || archive === '')) {
    throw new Error(`--output ${values.output}: write --output docker-archive:FILE`);
  }
  return { image: values.image, base: values.base, archive, help: values.help };
}

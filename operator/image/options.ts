import { parseArgs } from 'node:util';
import rootPackage from '../../package.json' with { type: 'json' };
import { type ImageName, RECIPES } from './recipes.ts';

export const VERSION = rootPackage.version;

export interface ImageOptions {
  readonly of: ImageName;
  readonly image: string;
  /** `undefined`: that of the Dockerfile; `local`: made of this machine's Node and Debian */
  readonly base: string | undefined;
  /** path of a docker-archive */
  readonly archive: string | undefined;
  readonly help: boolean;
}

export const HELP = `Builds an image, of which \`make build\` has made the programs.

Usage: node operator/image/build-image.ts [service | example] [options]

  service  the service and the operator; this is the default
  example  the worker and the client of examples/typescript-worker

Options:
  --image NAME                  [default: ${RECIPES.service.image}:${VERSION} or ${RECIPES.example.image}:${VERSION}]
  --base IMAGE                  an image with Node 24 as its entry point [default: that of the Dockerfile];
                                local: made of this Node and this Debian's libraries, where no registry is reached
  --output docker-archive:FILE  a tar file, as \`docker save\` writes it and \`ctr images import\` reads it
                                [default: with Docker none; with buildah operator/dist/image.tar or example-image.tar]

Docker is used where its daemon answers, else buildah, which leaves nothing but the archive behind.
`;

/** @throws Error that tells how to write it */
export function parseOptions(args: readonly string[]): ImageOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      image: { type: 'string' },
      base: { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [of = 'service', ...more] = positionals;
  if (!isImageName(of) || more.length > 0)
    throw new Error(`${positionals.join(' ')}: write one of ${Object.keys(RECIPES).join(' and ')}`);
  const image = values.image ?? `${RECIPES[of].image}:${VERSION}`;
  const archive = values.output?.replace(/^docker-archive:/, '');
  if (values.output !== undefined && (archive === values.output || archive === '')) {
    throw new Error(`--output ${values.output}: write --output docker-archive:FILE`);
  }
  return { of, image, base: values.base, archive, help: values.help };
}

function isImageName(name: string): name is ImageName {
  return Object.hasOwn(RECIPES, name);
}

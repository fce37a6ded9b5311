import { dockerProblem } from '@largepayload/operator/image/builders';
import { type BuiltImage, buildImage } from '@largepayload/operator/image/image';
import { inPath, installPackages } from '@largepayload/tools/debian-packages';

/** No registry has this tag, so the image that runs is the one built here. */
export const SERVICE_IMAGE = 'largepayload/payload-store:e2e';

/**
 * Writes a docker-archive of `SERVICE_IMAGE`, of the programs that `make build` made. Its base is E2E_BASE_IMAGE, else
 * this Node on this Debian's libraries, for which no registry is needed.
 * @throws MissingProgramError when something has to be installed by hand
 */
export async function buildServiceImage(archive: string, say: (line: string) => void): Promise<BuiltImage> {
  if (inPath('buildah') === undefined && (await dockerProblem()) !== undefined) {
    installPackages(['buildah'], 'Docker or buildah is needed to build the image.', say);
  }
  const base = process.env.E2E_BASE_IMAGE || 'local';
  return await buildImage({ of: 'service', image: SERVICE_IMAGE, base, archive }, say);
}

import { inPath, installPackages } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';

/**
 * The path of Chromium, installed from Debian's packages where that is possible and it is missing.
 * @throws MissingProgramError when it has to be installed by hand
 */
export function chromium(say: (line: string) => void): string {
  const installed = inPath('chromium');
  if (installed !== undefined) return installed;
  const reason = "Chromium is needed, as `chromium` in PATH, to look at Temporal's Web UI.";
  installPackages(['chromium'], reason, say);
  const path = inPath('chromium');
  if (path === undefined)
    throw new MissingProgramError(`The package chromium has no \`chromium\`. ${reason}`);
  return path;
}

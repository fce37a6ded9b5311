import { fileURLToPath } from 'node:url';

const bundle = process.env.WORKFLOW_BUNDLE;

/** In an image, the file that `bundle-workflows.ts` made when the image was built; else the sources, bundled at the start. */
export const workflowCode = bundle
  ? { workflowBundle: { codePath: bundle } }
  : { workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)) };

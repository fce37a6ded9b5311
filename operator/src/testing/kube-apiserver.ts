import { join } from 'node:path';
import { kubernetesPrograms } from '../../../e2e/cluster/programs.ts';

/** The path of the API server that the end-to-end tests build for their cluster. @throws MissingProgramError */
export async function kubeApiserver(say: (line: string) => void): Promise<string> {
  return join(await kubernetesPrograms(say), 'kube-apiserver');
}

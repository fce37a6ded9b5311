import type { InjectionSettings } from './injection/sidecar.ts';
import type { InjectionOptions, OperatorOptions } from './options.ts';

/**
 * What sidecars are made by. Webhook and policies inject by it, and workers are judged by it: where the two differed, every
 * sidecar would count as outdated.
 */
export function injectionSettings(
  { image, imagePullPolicy, imagePullSecrets = [] }: OperatorOptions,
  { runAsUser }: InjectionOptions,
  version: string,
): InjectionSettings {
  return { image, imagePullPolicy, imagePullSecrets, runAsUser, version };
}

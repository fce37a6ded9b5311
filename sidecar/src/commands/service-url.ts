import type { OptionHelp } from './command.ts';

/** Where clients find the service: the environment that injection sets, else a service on this machine. */
export const URL_OPTION: OptionHelp = {
  type: 'string',
  placeholder: 'URL',
  help: 'the service; LARGE_PAYLOAD_SERVICE_URL where that is set',
  default: process.env.LARGE_PAYLOAD_SERVICE_URL || 'http://127.0.0.1:8577',
};

export const ADMIN_URL_OPTION: OptionHelp = {
  type: 'string',
  placeholder: 'URL',
  help: "the service's admin port; in a cluster, reach it by kubectl port-forward",
  default: 'http://127.0.0.1:9099',
};

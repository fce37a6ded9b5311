import type { Logger } from 'pino';
import { Admission } from './admission/admission.ts';
import { type RunningWebhook, serveWebhook } from './admission/webhook-server.ts';
import { WEBHOOK_SECRET, webhookNames } from './authority/certificate-names.ts';
import type { StoreView } from './cluster/store-view.ts';
import { injectionSettings } from './injection-settings.ts';
import type { KubernetesApi } from './kubernetes/api.ts';
import type { Metrics } from './operations/metrics.ts';
import type { OperatorOptions } from './options.ts';
import type { WebhookCertificate } from './reconcile/certificates/certificate-controller.ts';
import { WebhookBundle } from './reconcile/webhook/webhook-bundle.ts';

export interface WebhookContext {
  readonly api: KubernetesApi;
  readonly options: OperatorOptions;
  readonly version: string;
  readonly view: StoreView;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The webhook of this replica, which serves whether it leads or not; `undefined`: the operator is no webhook. */
export async function startWebhook(context: WebhookContext): Promise<RunningWebhook | undefined> {
  const { api, options, version, view, metrics, log } = context;
  const { injection, namespace } = options;
  if (injection?.mode !== 'Webhook') return undefined;
  const settings = injectionSettings(options, injection, version);
  const admission = new Admission({ api, view, namespace, settings });
  const { listen } = injection.webhook;
  const webhook = await serveWebhook({ api, admission, namespace, listen, metrics, log });
  return {
    port: webhook.port,
    get missing() {
      return webhook.missing ?? (view.isSynced ? undefined : view.missing);
    },
    run: (signal) => webhook.run(signal),
  };
}

/** What the leader does for the webhooks of all replicas; `undefined`: nothing, as there is none, or cert-manager does it. */
export function webhookCertificate(
  api: KubernetesApi,
  { injection, namespace, certManager }: OperatorOptions,
  onFailure: (failure: Error) => void,
): (WebhookCertificate & Pick<WebhookBundle, 'problem' | 'run'>) | undefined {
  if (injection?.mode !== 'Webhook' || certManager !== undefined) return undefined;
  const { name } = injection.webhook;
  const bundle = new WebhookBundle({ api, name, onFailure });
  const names = webhookNames(name, namespace);
  return {
    request: { namespace, secret: WEBHOOK_SECRET, names, leftOut: 0, keepsNames: false },
    publish: (certificates, signal) => bundle.publish(certificates, signal),
    onChange: (listener) => bundle.onChange(listener),
    get problem() {
      return bundle.problem;
    },
    run: (signal) => bundle.run(signal),
  };
}

import type { KubernetesApi } from '../../kubernetes/api.ts';
import { Informer } from '../../kubernetes/informer.ts';
import { MUTATING_WEBHOOK_CONFIGURATIONS } from '../../kubernetes/resources.ts';
import { planBundle } from './plan-bundle.ts';

export interface WebhookBundleOptions {
  readonly api: KubernetesApi;
  /** of the MutatingWebhookConfiguration */
  readonly name: string;
  readonly onFailure: (failure: Error) => void;
}

/** The `caBundle` of the webhook, which the chart leaves to the operator. */
export class WebhookBundle {
  readonly #options: WebhookBundleOptions;
  readonly #configuration: Informer<number>;
  #problem: string | undefined = 'the certificates of the webhook are not published yet';

  constructor(options: WebhookBundleOptions) {
    this.#options = options;
    const { api, name, onFailure } = options;
    const resource = MUTATING_WEBHOOK_CONFIGURATIONS;
    const selection = { resource, fieldSelector: `metadata.name=${name}`, metadataOnly: true };
    // Each edit changes it.
    const map = ({ metadata }: { metadata: { generation?: number } }) => metadata.generation ?? 0;
    this.#configuration = new Informer({ api, selection, map, onFailure });
  }

  /** Called after the MutatingWebhookConfiguration was made or edited. */
  onChange(listener: () => void): void {
    this.#configuration.onChange(listener);
  }

  /** Watches until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#configuration.run(signal);
  }

  /**
   * Writes the certificates where they are not yet. Where there is no MutatingWebhookConfiguration, nothing calls the webhook.
   * @param bundle as PEM
   * @throws ApiError, also when it has been changed at the same time
   */
  async publish(bundle: string, signal: AbortSignal): Promise<void> {
    const { api, name } = this.#options;
    const resource = MUTATING_WEBHOOK_CONFIGURATIONS;
    const found = await api.get({ resource, namespace: '', name }, signal);
    const part = found && planBundle(found, bundle);
    if (part !== undefined) await api.patch(resource, part, signal);
    this.#problem = found
      ? undefined
      : `there is no MutatingWebhookConfiguration ${name}: install the chart again`;
  }

  /** Why the API server does not call the webhook, for people; `undefined`: it does, as far as is known. */
  get problem(): string | undefined {
    return this.#problem;
  }
}

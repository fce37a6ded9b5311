import {
  type Environment,
  nameOfProxy,
  type ProxyChoice,
  proxyChoice,
} from '../../http-client/proxies/proxy-choice.ts';
import type { EnvironmentNotice } from '../driver.ts';
import type { S3Location } from './s3-client.ts';

/** Names the variables that do not do what they seem to, and the proxy that leads to the bucket. */
export function environmentNotices(location: S3Location, environment: Environment): EnvironmentNotice[] {
  const proxies = proxyChoice(environment);
  const warnings = [
    ...proxies.notices,
    ...regionNotices(environment),
    ...endpointNotices(location, environment),
  ];
  return [
    ...warnings.map((text) => ({ level: 'warn', text }) as const),
    ...proxyInUse(proxies, location, environment).map((text) => ({ level: 'info', text }) as const),
  ];
}

/** A message about settings that contradict each other; `undefined`: there are none. */
export function contradictionIn({ endpoint }: S3Location, environment: Environment): string | undefined {
  for (const variable of ['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT']) {
    const value = environment[variable] ?? '';
    if (!['', 'true', 'false'].includes(value)) return `${variable} must be true or false`;
    if (value === 'true' && endpoint !== undefined) {
      return `${variable} asks for an endpoint of Amazon's, and spec.storage.s3.endpoint names another one; take one of them out`;
    }
  }
  return undefined;
}

function regionNotices(environment: Environment): string[] {
  const empty = ['AWS_REGION', 'AWS_DEFAULT_REGION'].filter((variable) => environment[variable] === '');
  const lower = Object.keys(environment).filter(
    (variable) => /^aws_[a-z0-9_]+$/.test(variable) && environment[variable.toUpperCase()] === undefined,
  );
  return [
    ...empty.map((variable) => `${variable} is empty, and counts as not set`),
    ...lower.map((variable) => `${variable} is not heeded; write it in capitals`),
  ];
}

function endpointNotices({ endpoint }: S3Location, environment: Environment): string[] {
  const other = endpointVariable(environment);
  if (other === undefined || other.url === endpoint) return [];
  return endpoint === undefined
    ? [
        `${other.name} leads all requests to ${withoutUser(other.url)}, as spec.storage.s3.endpoint is not set`,
      ]
    : [`${other.name} is not heeded for the bucket, as spec.storage.s3.endpoint is set`];
}

function proxyInUse(
  { isConfigured, proxyFor }: ProxyChoice,
  location: S3Location,
  environment: Environment,
): string[] {
  const bucket = bucketUrl(location, environment);
  if (!isConfigured || bucket === null) return [];
  try {
    const secure = bucket.protocol === 'https:';
    const proxy = proxyFor(secure, bucket.hostname, bucket.port === '' ? undefined : Number(bucket.port));
    return [
      `${bucket.host} is reached ${proxy === undefined ? 'without a proxy' : `by the proxy ${nameOfProxy(proxy)}`}`,
    ];
  } catch {
    // A notice names the broken proxy, and the first request fails with it.
    return [];
  }
}

function bucketUrl(
  { bucket, region, endpoint, forcePathStyle }: S3Location,
  environment: Environment,
): URL | null {
  const known = region ?? (environment.AWS_REGION || undefined);
  const amazon = `https://s3.${known === undefined ? '' : `${known}.`}amazonaws.com`;
  const url = URL.parse(endpoint ?? endpointVariable(environment)?.url ?? amazon);
  if (url !== null && !forcePathStyle) url.hostname = `${bucket}.${url.hostname}`;
  return url;
}

function endpointVariable(environment: Environment): { name: string; url: string } | undefined {
  if (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']) {
    const url = environment[name];
    if (url) return { name, url };
  }
  return undefined;
}

function withoutUser(text: string): string {
  const url = URL.parse(text);
  return url === null ? 'an address that is no URL' : `${url.protocol}//${url.host}`;
}

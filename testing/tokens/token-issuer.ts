import { createHash, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

type Claims = Readonly<Record<string, unknown>>;

/** A key pair of an issuer. */
export interface SigningKey {
  readonly algorithm: 'RS256' | 'ES256';
  /** names it in headers of tokens (kid) */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface ServiceAccountToken {
  /** `NAMESPACE/NAME` of the store */
  readonly store: string;
  /** `NAMESPACE/NAME` of the service account. Default: `worker` in the namespace of the store */
  readonly serviceAccount?: string;
  /** UID; default: one for each service account. `null`: the token is bound to no pod */
  readonly pod?: string | null;
  /** s from now; default: 600 */
  readonly lifetime?: number;
  /** instead of the claims that it would have */
  readonly claims?: Claims;
}

export interface TokenIssuerOptions {
  /** PEM, for a server with TLS. Its certificate needs the address 127.0.0.1 */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** of the first key; default: ES256 */
  readonly algorithm?: SigningKey['algorithm'];
  /** a token that each request has to show, as an API server wants it */
  readonly token?: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const KEYS_PATH = '/openid/v1/jwks';

/**
 * Signs tokens as an API server does, and serves their keys on loopback as it does: `/.well-known/openid-configuration` and
 * `/openid/v1/jwks`. It is also an issuer of OpenID Connect, of the same URL.
 */
export class TokenIssuer implements AsyncDisposable {
  /** whose tokens are signed; the last one signs */
  readonly keys: SigningKey[] = [];
  /** paths of all requests so far */
  readonly requests: string[] = [];
  /** answers in place of the documents; `undefined`: these */
  answer: Answer | undefined;
  /** in place of the fields of the discovery document */
  discovery: Claims = {};
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start({ tls, algorithm, token }: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    const listener: Answer = (request, response) => issuer.#serve(request, response, token);
    const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => {}));
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    };
    const issuer = new TokenIssuer(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, close);
    issuer.rotate(algorithm);
    return issuer;
  }

  get key(): SigningKey {
    return this.keys.at(-1) as SigningKey;
  }

  /** What it serves as its keys. */
  get jwks(): { readonly keys: readonly JsonWebKey[] } {
    return { keys: this.keys.map(publicJwk) };
  }

  /** Signs by a new key from now on. The keys before are still served. */
  rotate(algorithm: SigningKey['algorithm'] = 'ES256'): SigningKey {
    const key = signingKey(algorithm);
    this.keys.push(key);
    return key;
  }

  /** @param header instead of the fields that it would have */
  sign(claims: Claims, key: SigningKey = this.key, header: Claims = {}): string {
    return signToken(claims, key, header);
  }

  serviceAccountToken(options: ServiceAccountToken): string {
    return this.sign({ ...serviceAccountClaims(this.url, options), ...options.claims });
  }

  /** @param claims instead of those that it would have */
  oidcToken(audience: string, claims: Claims = {}): string {
    const now = Math.floor(Date.now() / 1_000);
    return this.sign({ iss: this.url, aud: audience, sub: 'ci', iat: now, exp: now + 600, ...claims });
  }

  #serve(request: IncomingMessage, response: ServerResponse, token: string | undefined): void {
    this.requests.push(request.url ?? '');
    const documents: Readonly<Record<string, object>> = {
      '/.well-known/openid-configuration': {
        ...{ issuer: this.url, jwks_uri: `${this.url}${KEYS_PATH}` },
        ...this.discovery,
      },
      [KEYS_PATH]: this.jwks,
    };
    const document = documents[request.url ?? ''];
    if (this.answer !== undefined) this.answer(request, response);
    else if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      response.writeHead(401).end();
    else if (document === undefined) response.writeHead(404).end();
    else {
      // As Kubernetes' API server does.
      const type = document === documents[KEYS_PATH] ? 'application/jwk-set+json' : 'application/json';
      if (!request.headers.accept?.includes(type)) response.writeHead(406).end();
      else response.setHeader('Content-Type', type).end(JSON.stringify(document));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

export function signingKey(algorithm: SigningKey['algorithm'] = 'ES256'): SigningKey {
  const { publicKey, privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { algorithm, id, publicKey, privateKey };
}

export function publicJwk({ id, algorithm, publicKey }: SigningKey): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), use: 'sig', kid: id, alg: algorithm };
}

/** Any token, also one that no issuer would sign. @param header instead of the fields that it would have */
export function signToken(claims: unknown, key: SigningKey, header: Claims = {}): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ alg: key.algorithm, kid: key.id, ...header })}.${encode(claims)}`;
  const { privateKey } = key;
  const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

/** As Kubernetes writes them into a projected token. */
export function serviceAccountClaims(
  issuer: string,
  { store, serviceAccount = `${store.split('/')[0]}/worker`, pod, lifetime = 600 }: ServiceAccountToken,
): Claims {
  const [namespace = '', name = ''] = serviceAccount.split('/');
  const now = Math.floor(Date.now() / 1_000);
  const uid = pod === undefined ? `uid-of-a-pod-of-${namespace}-${name}` : pod;
  return {
    aud: [`largepayload.dev/${store}`],
    exp: now + lifetime,
    iat: now,
    iss: issuer,
    jti: crypto.randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(uid === null ? {} : { pod: { name: `${name}-1`, uid } }),
      serviceaccount: { name, uid: `uid-of-${namespace}-${name}` },
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
}

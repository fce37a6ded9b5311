import { createHash } from 'node:crypto';
import { LargePayloadCodec, type LargePayloadCodecOptions } from '@largepayload/codec';
import type { PayloadCodec } from '@temporalio/common';
import { CompressingCodec, EncryptingCodec } from './other-codecs.ts';

/** Key of the codec that encrypts, known to workers and tests. */
const key = createHash('sha256').update('the key of the end-to-end tests').digest();

const makers: Readonly<Record<string, (options: LargePayloadCodecOptions) => PayloadCodec>> = {
  compress: () => new CompressingCodec(),
  encrypt: () => new EncryptingCodec(key),
  large: (options) => new LargePayloadCodec(options),
};

/** The codecs of these names, separated by commas, as a worker or a client lists them. */
export function payloadCodecs(names: string, options: LargePayloadCodecOptions = {}): PayloadCodec[] {
  return names
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const make = makers[name];
      if (make === undefined) throw new TypeError(`no codec ${name}; there are ${Object.keys(makers)}`);
      return make(options);
    });
}

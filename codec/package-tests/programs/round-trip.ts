// Stores a payload and reads it back. Written once; compiled and run as an ES module, as CommonJS, and bundled.
import { isReference, LargePayloadCodec, PayloadNotFoundError, PayloadStoreError } from '@largepayload/codec';
import type { Payload, PayloadCodec } from '@temporalio/common';

const codec: PayloadCodec = new LargePayloadCodec();

const payload: Payload = {
  metadata: { encoding: new TextEncoder().encode('binary/plain') },
  data: new Uint8Array(1_000_000).map((_, index) => index % 251),
};

async function roundTrip(): Promise<void> {
  const references = await codec.encode([payload]);
  const decoded = await codec.decode(references);
  const failure: unknown = await codec.decode(references.map(nowhere)).catch((thrown: unknown) => thrown);
  const facts = {
    isReference: references.map(isReference),
    isEqual: decoded.map(({ data }) => Buffer.from(payload.data ?? []).equals(data ?? new Uint8Array())),
    errorName: failure instanceof Error && failure.name,
    isInstance: failure instanceof PayloadNotFoundError && failure instanceof PayloadStoreError,
  };
  console.log(JSON.stringify(facts));
}

/** The same reference, to a namespace in which nothing was stored. */
function nowhere(reference: Payload): Payload {
  const json = new TextDecoder().decode(reference.data ?? new Uint8Array());
  const data = new TextEncoder().encode(json.replace('/package-tests/', '/nowhere/'));
  return { ...reference, data };
}

roundTrip().catch((failure: unknown) => {
  console.error(failure);
  process.exitCode = 1;
});

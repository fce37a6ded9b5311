// node --conditions=largepayload-source docs/adr/measurements/signer.mjs: processor time of one signature, by the SDK's
// signer and by ours, of the request that PUTs an object.
import { S3Client } from '@aws-sdk/client-s3';
import { SignatureV4, signingTime } from '../../../sidecar/src/drivers/s3/signing/signature-v4.ts';

const REQUESTS = 20_000;
const HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const method = 'PUT';
const path = '/expires-20400101T000000Z-30d/orders/common/sha256%3A0/sha256%3A1';
const headers = {
  host: 'payloads.s3.eu-central-1.amazonaws.com',
  'content-length': '131072',
  'content-type': 'application/octet-stream',
  'if-none-match': '*',
  'x-amz-checksum-sha256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'x-amz-content-sha256': HASH,
  'x-amz-user-agent': 'aws-sdk-js/3.1169.0 large-payload-store',
};

const credentials = Object.assign(async () => keys, { memoized: true });
const theirs = await new S3Client({ region: 'eu-central-1', credentials }).config.signer();
const ours = new SignatureV4({ region: 'eu-central-1', service: 's3' });
const sent = { method, protocol: 'https:', hostname: headers.host, path, query: { 'x-id': 'PutObject' } };
const SIGNERS = {
  '@smithy/signature-v4': () => theirs.sign({ ...sent, headers: { ...headers } }),
  'signature-v4.ts': () => {
    const time = signingTime(Date.now());
    const signed = { ...headers, 'x-amz-date': time };
    const request = { method, path, query: 'x-id=PutObject', headers: signed, payloadHash: HASH };
    return ours.authorization(request, keys, time);
  },
};

for (const round of ['warm-up', 1, 2, 3]) {
  for (const [name, sign] of Object.entries(SIGNERS)) {
    const before = process.cpuUsage();
    for (let count = 0; count < REQUESTS; count += 1) await sign();
    const { user, system } = process.cpuUsage(before);
    console.log(`${round}: ${name.padEnd(22)} ${((user + system) / REQUESTS).toFixed(1)} µs a request`);
  }
}

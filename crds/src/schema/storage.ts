import { Boolean as Flag, Object as MapOf, Optional, String as Text } from 'typebox';
import { at } from '../json-fields.ts';
import { bucketName, resourceName, url } from './fields.ts';
import { has, type Rule } from './node.ts';
import { keyPrefix } from './prefix.ts';

const BACKENDS = ['s3', 'gcs', 'azure', 'filesystem'];

const exactlyOneBackend: Rule = {
  cel: '[has(self.s3), has(self.gcs), has(self.azure), has(self.filesystem)].filter(b, b).size() == 1',
  message: 'exactly one of s3, gcs, azure, filesystem',
  holds: (storage) => BACKENDS.filter((backend) => has(storage, backend)).length === 1,
};

/** A reference has a key and no bucket, so with other storage every reference would dangle. */
const backendStays: Rule = {
  cel: 'has(self.s3) == has(oldSelf.s3) && has(self.gcs) == has(oldSelf.gcs) && has(self.azure) == has(oldSelf.azure)',
  message: 'the backend cannot change: references would dangle',
};

const stay = (names: string, ...fields: readonly string[]): Rule => ({
  cel: fields.map((field) => `self.${field} == oldSelf.${field}`).join(' && '),
  message: `${names} cannot change`,
});

const bucketStays = stay('bucket and prefix', 'bucket', 'prefix');

/** An object of such a class has to be restored before it can be read, which takes hours. */
const ARCHIVE_CLASSES = ['GLACIER', 'DEEP_ARCHIVE'];

const readableAtOnce: Rule = {
  cel: `!(self in [${ARCHIVE_CLASSES.map((name) => `'${name}'`).join(', ')}])`,
  message: 'objects of an archive class cannot be read at once; GLACIER_IR can',
  holds: (storageClass) => !ARCHIVE_CLASSES.includes(String(storageClass)),
};

const keyNeedsKms: Rule = {
  cel: "!has(self.kmsKeyID) || self.type != 'AES256'",
  message: 'kmsKeyID needs the type aws:kms or aws:kms:dsse',
  field: 'kmsKeyID',
  holds: (encryption) => !has(encryption, 'kmsKeyID') || at(encryption, 'type') !== 'AES256',
};

const ServerSideEncryption = MapOf(
  {
    type: Text({
      description: 'AES256 with keys of S3 (SSE-S3), or aws:kms or aws:kms:dsse with one of KMS.',
      enum: ['AES256', 'aws:kms', 'aws:kms:dsse'],
    }),
    kmsKeyID: Optional(
      Text({
        description: 'Id or ARN of the KMS key. Default: the key of the account for S3, aws/s3.',
        minLength: 1,
        maxLength: 2_048,
      }),
    ),
  },
  {
    description: "How S3 encrypts what this store writes. Default: the bucket's own setting.",
    rules: [keyNeedsKms],
  },
);

const S3 = MapOf(
  {
    bucket: bucketName('Name of the bucket, which must exist. Cannot be changed later.'),
    prefix: keyPrefix(),
    region: Optional(
      Text({
        description: "Region of the bucket, such as eu-central-1. Default: the AWS SDK's own search.",
        maxLength: 63,
      }),
    ),
    endpoint: Optional(
      url('Address of an S3-compatible service other than AWS, such as https://minio:9000.'),
    ),
    forcePathStyle: Flag({
      description: 'Puts the bucket in the path instead of the host name, as most services beside AWS need.',
      default: false,
    }),
    caBundle: Optional(
      Text({
        description:
          'PEM certificates of the authorities that sign the endpoint, for a service with private ones.',
        maxLength: 65_536,
        pattern: '-----BEGIN CERTIFICATE-----',
        expected: 'PEM certificates, which begin with -----BEGIN CERTIFICATE-----',
      }),
    ),
    storageClass: Optional(
      Text({
        description:
          'Storage class of what this store writes, such as INTELLIGENT_TIERING. Default: STANDARD. Mind that some ' +
          'classes charge a month, or reading.',
        maxLength: 64,
        pattern: '^[A-Za-z0-9_-]+$',
        expected: 'the name of a storage class, such as STANDARD_IA',
        rules: [readableAtOnce],
      }),
    ),
    serverSideEncryption: Optional(ServerSideEncryption),
  },
  { description: 'Amazon S3, or a service that speaks its protocol.', rules: [bucketStays] },
);

const GCS = MapOf(
  {
    bucket: bucketName('Name of the bucket, which must exist. Cannot be changed later.'),
    prefix: keyPrefix(),
    endpoint: Optional(url('Address to use in place of https://storage.googleapis.com.')),
  },
  { description: 'Google Cloud Storage.', rules: [bucketStays] },
);

const Azure = MapOf(
  {
    endpoint: url(
      'Blob endpoint of the account: https://ACCOUNT.blob.core.windows.net. Cannot be changed later.',
    ),
    container: bucketName('Name of the container, which must exist. Cannot be changed later.'),
    prefix: keyPrefix(),
  },
  {
    description: 'Azure Blob Storage.',
    rules: [stay('account, container and prefix', 'endpoint', 'container', 'prefix')],
  },
);

const Filesystem = MapOf(
  {
    claimName: resourceName(
      'Name of the PersistentVolumeClaim, which must exist in this namespace. Cannot be changed later; ' +
        'outside a cluster --data-dir stands in for it.',
    ),
  },
  {
    description: 'A volume, served by one pod that is both gateway and reaper.',
    rules: [stay('claimName', 'claimName')],
  },
);

export const StorageSchema = MapOf(
  {
    s3: Optional(S3),
    gcs: Optional(GCS),
    azure: Optional(Azure),
    filesystem: Optional(Filesystem),
    shared: Optional(
      Flag({
        description:
          'Uses the storage beside stores of the same namespace and name, in other clusters for example, that say so ' +
          'too. Otherwise one resource at a time uses it, and others are refused. Default: false.',
      }),
    ),
  },
  {
    description: 'Where the payloads are kept: exactly one backend, which cannot be changed later.',
    rules: [exactlyOneBackend, backendStays],
  },
);

import { DEPLOYMENTS } from '../../kubernetes/resources.ts';
import type { ObservedDeployment } from '../observed.ts';
import { but, wellStore } from '../situation.fixture.ts';
import { ON_S3 } from '../stores.fixture.ts';
import {
  blocked,
  type Case,
  failing,
  nothingYet,
  startingGateway,
  WELL,
  well,
  withoutNewPod,
} from './case.fixture.ts';

export const REFUSED_CASES: readonly Case[] = [
  {
    when: 'an edit does not fit into the quota',
    situation: withoutNewPod(
      blocked(
        'pods "orders-gateway-7d9c8b5f4-x2x7z" is forbidden: exceeded quota: team, requested: limits.memory=512Mi, used: limits.memory=2Gi, limited: limits.memory=2Gi',
      ),
    ),
    expected: { ...WELL, Ready: 'False QuotaExceeded' },
  },
  {
    when: 'the quota demands more than cpu and memory',
    situation: withoutNewPod(
      blocked(
        'pods "orders-gateway-7d9c8b5f4-x2x7z" is forbidden: failed quota: team: must specify limits.ephemeral-storage for: payload-store',
      ),
    ),
    expected: { ...WELL, Ready: 'False QuotaExceeded' },
  },
  {
    when: 'the quota was raised, and a LimitRange refuses pods since',
    situation: but(
      withoutNewPod(blocked('pods "orders-gateway-x" is forbidden: exceeded quota: team, requested: cpu=1')),
      {
        eventMessages: new Map([
          [
            'orders-gateway',
            'Error creating: pods "orders-gateway-7d9c8b5f4-x2x7z" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
          ],
        ]),
      },
    ),
    expected: { ...WELL, Ready: 'False Refused' },
  },
  {
    when: 'Pod Security refuses what a mesh made of the pod',
    situation: withoutNewPod(
      blocked(
        'pods "orders-gateway-7d9c8b5f4-x2x7z" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "istio-init" must not include "NET_ADMIN")',
      ),
    ),
    expected: { ...WELL, Ready: 'False PodSecurityRefused' },
  },
  {
    when: 'the service account does not exist',
    situation: but(startingGateway({}, wellStore({ ...ON_S3, gateway: { serviceAccountName: 'writer' } })), {
      pods: well.observed.pods.filter(({ component }) => component === 'reaper'),
      gateway: {
        ...(wellStore({ ...ON_S3, gateway: { serviceAccountName: 'writer' } }).observed
          .gateway as ObservedDeployment),
        ...{ replicas: 0, updated: 0, ready: 0, available: 0 },
        replicaFailure: {
          status: 'True',
          reason: 'FailedCreate',
          message:
            'pods "orders-gateway-7d9c8b5f4-" is forbidden: error looking up service account payments/writer: serviceaccount "writer" not found',
        },
      },
    }),
    expected: {
      Ready: 'False ServiceAccountMissing',
      GatewayAvailable: 'False ServiceAccountMissing',
      ReaperHealthy: 'True Reaping',
      RetentionSafe: 'True StorageAgrees',
    },
  },
  {
    when: 'a policy of the cluster refuses the pods',
    situation: withoutNewPod(
      blocked(
        'admission webhook "validate.kyverno.svc" denied the request: images must come from registry.internal',
      ),
    ),
    expected: { ...WELL, Ready: 'False Refused' },
  },
  {
    when: 'a webhook of the cluster does not work',
    situation: withoutNewPod(
      blocked(
        'Internal error occurred: failed calling webhook "inject.mesh": Post "https://mesh.svc": connection refused',
      ),
    ),
    expected: { ...WELL, Ready: 'False WebhookFailed' },
  },
  {
    when: 'resources are no quantities',
    situation: but(well, {
      refusals: [
        {
          resource: DEPLOYMENTS,
          namespace: 'payments',
          name: 'orders-gateway',
          message:
            'Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression \'^([+-]?[0-9.]+)\'',
        },
      ],
    }),
    expected: { ...WELL, Ready: 'False Refused' },
  },
  {
    when: "the operator's rights are too old",
    situation: but(nothingYet(), {
      refusals: [
        {
          resource: DEPLOYMENTS,
          namespace: 'payments',
          name: 'orders-gateway',
          message:
            'deployments.apps "orders-gateway" is forbidden: User "system:serviceaccount:large-payload:operator" cannot patch resource "deployments" in API group "apps" in the namespace "payments"',
        },
      ],
    }),
    expected: failing('OperatorForbidden'),
  },
];

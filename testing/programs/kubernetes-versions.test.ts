import { expect, test } from 'vitest';
import { hasMutatingPolicies, KUBERNETES_VERSIONS, kubernetesVersion } from './kubernetes-versions.ts';

test('each folder has a go.mod with a version of its name, and the newest is last', () => {
  expect(KUBERNETES_VERSIONS.map(({ minor }) => minor)).toEqual(['1.33', '1.37']);
  for (const { minor, full } of KUBERNETES_VERSIONS) expect(full).toMatch(new RegExp(`^${minor}\\.\\d+$`));
});

test.each(['1.33', 'v1.33', '1.33.13', 'v1.33.13'])('%s names the oldest version', (text) => {
  expect(kubernetesVersion(text).full).toBe('1.33.13');
});

test.each([undefined, ''])('no text, %j, names the newest version', (text) => {
  expect(kubernetesVersion(text).minor).toBe('1.37');
});

test.each(['1.3', '1.34', '1.33.1', '1', '../1.33'])(
  '%s is refused with the versions that are known',
  (text) => {
    expect(() => kubernetesVersion(text)).toThrow(
      `Kubernetes ${text} cannot be built here: use one of 1.33 (1.33.13), 1.37 (1.37.2)`,
    );
  },
);

test('only the newest version has mutating admission policies', () => {
  expect(KUBERNETES_VERSIONS.map(hasMutatingPolicies)).toEqual([false, true]);
});

import { INJECTED_ANNOTATION } from '../names.ts';
import { pointer } from '../raw-pod.ts';
import type { Sidecar } from '../sidecar.ts';
import { celLiteral } from './cel-literal.ts';

/**
 * The JSON patch of `injectSidecar` as an expression, with the sidecar as a literal. Its first operations are those of the
 * environment, while init containers have the positions that they had. Uses the variables of `variablesFor`.
 */
export function mutationFor(sidecar: Sidecar, isUsedElsewhere: boolean): string {
  return [
    '!variables.isRequested ? [] :',
    `(${environment(sidecar).join('\n+ ')})`,
    `+ (variables.hasSidecar ? [] : ${everythingElse(sidecar, isUsedElsewhere).join('\n+ ')})`,
  ].join('\n');
}

function environment({ environment }: Sidecar): readonly string[] {
  const each = (condition: string, path: string, value: string) =>
    `variables.workers.transformList(i, c, ${condition}, ${add(`variables.paths[i] + ${celLiteral(path)}`, value)})`;
  return [
    each('!has(c.env)', '/env', '[]'),
    ...environment.map((variable) =>
      each(`!(${celLiteral(variable.name)} in variables.environments[i])`, '/env/-', celLiteral(variable)),
    ),
  ];
}

function everythingElse(sidecar: Sidecar, isUsedElsewhere: boolean): readonly string[] {
  const { container, imagePullSecrets, annotation } = sidecar;
  const own = celLiteral(sidecar.volume);
  const volume = isUsedElsewhere
    ? `variables.isInOwnNamespace ? ${own} : ${celLiteral(sidecar.volumeElsewhere)}`
    : own;
  return [
    madeIfMissing('object.spec.initContainers', pointer('spec', 'initContainers'), '[]'),
    `[${addAt(pointer('spec', 'initContainers', 0), celLiteral(container))}]`,
    madeIfMissing('object.spec.volumes', pointer('spec', 'volumes'), '[]'),
    `[${addAt(pointer('spec', 'volumes', '-'), volume)}]`,
    ...(imagePullSecrets.length === 0
      ? []
      : [
          madeIfMissing('object.spec.imagePullSecrets', pointer('spec', 'imagePullSecrets'), '[]'),
          ...imagePullSecrets.map(pullSecret),
        ]),
    madeIfMissing('object.metadata.annotations', pointer('metadata', 'annotations'), '{}'),
    `[${addAt(pointer('metadata', 'annotations', INJECTED_ANNOTATION), celLiteral(JSON.stringify(annotation)))}]`,
  ];
}

function pullSecret(secret: { readonly name: string }): string {
  const present = `object.spec.?imagePullSecrets.orValue([]).exists(s, s.?name.orValue("") == ${celLiteral(secret.name)})`;
  return `(${present} ? [] : [${addAt(pointer('spec', 'imagePullSecrets', '-'), celLiteral(secret))}])`;
}

function madeIfMissing(field: string, path: string, empty: string): string {
  return `(has(${field}) ? [] : [${addAt(path, empty)}])`;
}

function addAt(path: string, value: string): string {
  return add(celLiteral(path), value);
}

/** @param path an expression */
function add(path: string, value: string): string {
  return `JSONPatch{op: "add", path: ${path}, value: ${value}}`;
}

import { at, listAt, textAt } from '@largepayload/crds';

type Labels = Readonly<Record<string, string>>;

/** Whether a LabelSelector of Kubernetes selects an object with these labels; an absent one selects all. */
export function selects(selector: unknown, labels: Labels): boolean {
  const exact = Object.entries((at(selector, 'matchLabels') as Labels | undefined) ?? {});
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    listAt(selector, 'matchExpressions').every((expression) => holds(expression, labels))
  );
}

function holds(expression: unknown, labels: Labels): boolean {
  const value = labels[textAt(expression, 'key') ?? ''];
  const given = at(expression, 'values');
  const values = Array.isArray(given) ? given : [];
  switch (textAt(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}

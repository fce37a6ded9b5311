/**
 * A JSON value as an expression of CEL. A text of JSON is one of CEL as well, with the same escapes. The members of a list or map of
 * CEL have one type, but for those that `dyn` hides. Names of fields are texts, so that none can be a reserved word of CEL.
 */
export function celLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${members(value).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  const values = members(fields.map(([, each]) => each));
  return `{${fields.map(([name], index) => `${celLiteral(name)}: ${values[index]}`).join(', ')}}`;
}

function members(values: readonly unknown[]): readonly string[] {
  const areTexts = values.every((value) => typeof value === 'string');
  return values.map((value) => (areTexts ? celLiteral(value) : `dyn(${celLiteral(value)})`));
}

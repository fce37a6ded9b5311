/**
 * What the API server says of a value that a rule refuses, without that value: before Kubernetes 1.35 it is the type of
 * the value, since then a text itself, and nothing for an object.
 */
export function withoutValue(message: string): string {
  return message.replace(/Invalid value: "(?:[^"\\]|\\.)*": /g, 'Invalid value: ');
}

/**
 * The API server's message with the parts that all its versions have. A value that a rule refuses is left out: before
 * Kubernetes 1.35 it is the value's type, since then a text itself, and nothing for an object. A duplicate object loses
 * the Go type that Kubernetes 1.33 puts before it.
 */
export function inAllVersions(message: string): string {
  return message
    .replace(/Invalid value: "(?:[^"\\]|\\.)*": /g, 'Invalid value: ')
    .replace('Duplicate value: map[string]interface {}{', 'Duplicate value: {');
}

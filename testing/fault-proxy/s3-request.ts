/** Kinds of requests. `other`: requests about the bucket itself, such as whether it keeps versions. */
export type S3Operation = 'put' | 'get' | 'head' | 'list' | 'delete' | 'other';

export const EVERY_OPERATION: readonly S3Operation[] = ['put', 'get', 'head', 'list', 'delete', 'other'];

/** By method and path-style URL. `put` and `get` are of objects; `delete` of one or of many. */
export function operationOf(method: string, url: string): S3Operation {
  const { pathname, searchParams } = new URL(url, 'http://any');
  if (method === 'DELETE' || searchParams.has('delete')) return 'delete';
  const isObject = /^\/[^/]+\/./.test(pathname);
  if (!isObject) return method === 'GET' && searchParams.has('list-type') ? 'list' : 'other';
  if (method === 'PUT') return 'put';
  if (method === 'HEAD') return 'head';
  return method === 'GET' ? 'get' : 'other';
}

import { excerpt } from '../../../errors/excerpt.ts';
import type { ListAnswer, ListQuery } from '../s3-client.ts';
import { BAD_LISTING, badAnswer } from './sdk-faults.ts';

/** A page of a listing as the service tells it. */
export interface ListingPage {
  readonly Name?: string | undefined;
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: string | undefined;
  readonly Contents?:
    | readonly { readonly Key?: string | undefined; readonly Size?: number | undefined }[]
    | undefined;
  readonly CommonPrefixes?: readonly { readonly Prefix?: string | undefined }[] | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly NextContinuationToken?: string | undefined;
}

/** Names of access points: a listing through one may tell the bucket behind it. */
const ACCESS_POINT = /:|-s3alias$/;

/**
 * A page that answers the query. Whatever is listed may be deleted, so a page of another bucket or prefix, which a cache
 * or a proxy may send, is an error; so is one that says it goes on and not where.
 */
export function listAnswerOf(page: ListingPage, bucket: string, query: ListQuery): ListAnswer {
  const { prefix, byFolder = false, limit } = query;
  if (!page.Name || !ACCESS_POINT.test(bucket)) assertEchoed('bucket', page.Name, bucket);
  assertEchoed('prefix', page.Prefix, prefix);
  // Not every service says the delimiter; what it lists has to show it then.
  if (page.Delimiter) assertEchoed('delimiter', page.Delimiter, byFolder ? '/' : '');
  const plain = (text = '') => (page.EncodingType === 'url' ? decoded(text) : text);
  const objects = (page.Contents ?? []).map(({ Key, Size }) => ({ name: plain(Key), size: Size ?? 0 }));
  const folders = (page.CommonPrefixes ?? []).map(({ Prefix }) => plain(Prefix));
  if (limit !== undefined && objects.length > limit) {
    throw badListing(`it has ${objects.length} objects on a page of at most ${limit}`);
  }
  for (const { name } of objects) assertFits(name, prefix, byFolder ? 'file' : 'any');
  for (const folder of folders) assertFits(folder, prefix, byFolder ? 'folder' : 'none');
  const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  if (page.IsTruncated === true && !next)
    throw badListing('it says that it goes on, and has no token to go on');
  return { objects, folders, next };
}

/** Some services encode what they echo, others do not, whatever they say of the encoding. */
function assertEchoed(what: string, echoed: string | undefined, asked: string): void {
  const told = echoed ?? '';
  if (told === asked || isEncoded(told, asked)) return;
  throw badListing(`it is of the ${what} ${excerpt(told)}, and ${excerpt(asked)} was asked for`);
}

function isEncoded(told: string, asked: string): boolean {
  try {
    return decodeForm(told) === asked;
  } catch {
    return false;
  }
}

/** @param kind what may follow the prefix: anything, no slash, one at the end, or nothing */
function assertFits(key: string, prefix: string, kind: 'any' | 'file' | 'folder' | 'none'): void {
  const rest = below(key, prefix);
  const slash = rest?.indexOf('/') ?? -1;
  const fits =
    kind === 'any' ||
    (kind === 'file' && slash < 0) ||
    (kind === 'folder' && slash === (rest?.length ?? 0) - 1);
  if (rest === undefined) throw badListing(`it has ${excerpt(key)}, and ${excerpt(prefix)} was asked for`);
  if (!fits) throw badListing(`it has ${excerpt(key)}, which does not fit the delimiter that was asked for`);
}

/** What follows the prefix. Services that keep folders fold a leading slash, and tell keys without it. */
function below(key: string, prefix: string): string | undefined {
  const folded = prefix.replace(/^\//, '');
  const start = [prefix, folded].find((each) => key.startsWith(each));
  return start === undefined ? undefined : key.slice(start.length);
}

function decoded(text: string): string {
  try {
    return decodeForm(text);
  } catch {
    throw badAnswer('a listing whose keys are not encoded as it says');
  }
}

/** The encoding of forms, in which a plus is a space. */
function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

export function badListing(what: string): Error {
  return Object.assign(new Error(what), { code: BAD_LISTING });
}

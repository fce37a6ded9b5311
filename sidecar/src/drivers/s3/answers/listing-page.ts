import { excerpt } from '../../../errors/excerpt.ts';
import { badAnswer } from '../../../http-client/errors.ts';
import { badListing } from '../../object-store/failures.ts';
import type { ListAnswer, ListQuery } from '../../object-store/object-store-client.ts';

/** A page of a listing as the service writes it. */
interface ListingPage {
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

/** Names of access points: a listing through an access point may name the bucket behind it. */
const ACCESS_POINT = /:|-s3alias$/;

/** The page of a bucket, which must be of that bucket and prefix, and have the token of the next page. */
export function listAnswerOf(page: ListingPage, bucket: string, query: ListQuery): ListAnswer {
  const { prefix, byFolder = false } = query;
  if (!page.Name || !ACCESS_POINT.test(bucket)) assertEchoed('bucket', page.Name, bucket);
  assertEchoed('prefix', page.Prefix, prefix);
  // Some services do not echo the delimiter. Then the keys show it; see `ListingProgress`.
  if (page.Delimiter) assertEchoed('delimiter', page.Delimiter, byFolder ? '/' : '');
  const plain = (text = '') => (page.EncodingType === 'url' ? decoded(text) : text);
  const objects = (page.Contents ?? []).map(({ Key, Size }) => ({ name: plain(Key), size: Size ?? 0 }));
  const folders = (page.CommonPrefixes ?? []).map(({ Prefix }) => plain(Prefix));
  const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  if (page.IsTruncated === true && !next)
    throw badListing('it says that it goes on, and has no token to go on');
  return { objects, folders, next };
}

/** Some services encode what they echo and others do not; `EncodingType` does not show which. */
function assertEchoed(field: string, echoed = '', asked: string): void {
  if (echoed === asked || decodeForm(echoed) === asked) return;
  throw badListing(`it is of the ${field} ${excerpt(echoed)}, and ${excerpt(asked)} was asked for`);
}

function decoded(text: string): string {
  const plain = decodeForm(text);
  if (plain === undefined) throw badAnswer('a listing whose keys are not encoded as it says');
  return plain;
}

/** In the encoding of forms a plus is a space. `undefined`: the text is not encoded so. */
function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

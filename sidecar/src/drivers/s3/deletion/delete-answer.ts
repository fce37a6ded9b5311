import { BAD_ANSWER, badAnswer } from '../../../http-client/errors.ts';
import type { Fault } from '../../object-store/failures.ts';
import type { DeleteAnswer } from '../s3-client.ts';

/** The fault of an object that the answer does not name. */
export const NOT_NAMED: Fault = {
  status: undefined,
  code: BAD_ANSWER,
  message: 'its answer does not say whether it deleted the object',
};

/**
 * The faults of the keys that a multi-object delete has left. An object counts as deleted only when the answer names it, as
 * deleted or as not there: a proxy's page names no object. An answer that names other objects is a bad answer.
 * @throws the error of a bad answer
 */
export function faultsIn(
  { deleted, failed, isResult }: DeleteAnswer,
  keys: readonly string[],
): Map<string, Fault> {
  const asked = new Set(keys);
  // A service that folds slashes names the key without its leading slash.
  const askedFor = (named: string) => [named, `/${named}`].find((key) => asked.has(key));
  const gone = new Set<string>();
  const faults = new Map<string, Fault>();
  for (const named of deleted) gone.add(askedFor(named) ?? otherKey(named));
  for (const { key: named, fault } of failed) {
    const key = askedFor(named) ?? otherKey(named, fault);
    if (fault.code === 'NoSuchKey') gone.add(key);
    else faults.set(key, fault);
  }
  if (!isResult && keys.length > 0 && gone.size === 0 && faults.size === 0)
    throw badAnswer('an answer to a delete that names none of the objects');
  for (const key of asked) if (!gone.has(key) && !faults.has(key)) faults.set(key, NOT_NAMED);
  return faults;
}

function otherKey(named: string, fault?: Fault): never {
  const why = fault === undefined ? '' : ` (${fault.code}: ${fault.message})`;
  throw badAnswer(
    named === ''
      ? `an answer to a delete that does not say which object it means${why}`
      : `an answer to a delete that names an object which was not to be deleted${why}`,
  );
}

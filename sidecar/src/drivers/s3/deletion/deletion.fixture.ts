import { never } from '../../conformance/subject.ts';
import { type Exchange, refusal, type Script, scriptedServer } from '../scripted-server.fixture.ts';

/** The keys in the body of a multi-object delete. */
export const keysOf = (body: Buffer) =>
  [...body.toString().matchAll(/<Key>([^<]+)/g)].map(([, key]) => key ?? '');
export const result = (deleted: readonly string[], errors: readonly (readonly [string, string])[] = []) =>
  `<DeleteResult>${deleted.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join('')}${errors
    .map(([key, code]) => `<Error><Key>${key}</Key><Code>${code}</Code></Error>`)
    .join('')}</DeleteResult>`;

/** Answers a multi-object delete with this text. */
export const says =
  (text: string, headers: Record<string, string> = { 'Content-Type': 'application/xml' }): Script =>
  async ({ response, body }) => {
    await body();
    response.writeHead(200, headers).end(text);
  };
export const isMultiObjectDelete = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path.includes('delete');
export const keyIn = ({ path }: { path: string }) =>
  decodeURIComponent(path.replace('/payloads/', '').replace(/\?.*/, ''));
export const gone: Script = ({ response }) => response.writeHead(204).end();

/** A service without multi-object delete. */
export const single =
  (deleteOne: Script, refuse: Script = refusal(501, 'NotImplemented')): Script =>
  (exchange: Exchange) =>
    isMultiObjectDelete(exchange) ? refuse(exchange) : deleteOne(exchange);

/** Deletes these names from a server that answers so. */
export async function deleteAll(script: Script, names = ['a', 'b', 'c', 'd', 'e']) {
  const server = await scriptedServer(script);
  const outcome = server.driver().delete(names, never());
  return { server, outcome };
}

import { execFile } from 'node:child_process';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { certificatesIn, tokenIn } from '@largepayload/codec/files/token-and-authorities';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { within } from '@largepayload/testing/waiting/eventually';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { caFile, tokenFile } from './gateway-files.ts';
import { filesOfTest } from './tls-gateway.fixture.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl_-';

/** A file is not read again for a second. */
const later = () => vi.advanceTimersByTime(1_000);
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function logOf() {
  const lines: unknown[] = [];
  const line = (...args: unknown[]) => void lines.push(args);
  return { lines, log: { info: line, warn: line, error: line } };
}

const unreadable = (message: RegExp) => ({
  code: 'token_unreadable',
  message: expect.stringMatching(message),
});

describe('a token file', () => {
  test('that is absent fails, until it is created', async () => {
    const files = await filesOfTest();
    const token = tokenFile(files.path('token'), logOf().log);
    await expect(token.value()).rejects.toMatchObject(unreadable(/ENOENT.*mount a projected/));
    await expect(token.value()).rejects.toMatchObject(unreadable(/ENOENT/));
    await files.write('token', `${TOKEN}\n`);
    expect(await token.value()).toBe(TOKEN);
  });

  test('is read again a second after it has changed, and at once when the gateway refused it', async () => {
    const files = await filesOfTest();
    const token = tokenFile(await files.write('token', TOKEN), logOf().log);
    expect(await token.value()).toBe(TOKEN);
    await files.write('token', 'another');
    expect(await token.value(TOKEN)).toBe('another');
    await files.write('token', 'a-third');
    expect(await token.value()).toBe('another');
    later();
    expect(await token.value()).toBe('a-third');
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['of 1 MB', 'x'.repeat(1_000_000), /more than 16384 bytes/],
    ['without a token', ' \n', /it is empty/],
    ['of two lines', `${TOKEN}\n${TOKEN}\n`, /more than one line/],
    ['with a header in it', `${TOKEN}\r\nX-Evil: 1`, /more than one line/],
    ['with other characters', 'tökén', /characters that no token has/],
    ['with a null byte', `${TOKEN}\0`, /characters that no token has/],
    ['of random bytes', Buffer.from([0xff, 0xfe, 0x00, 0x80]), /characters that no token has/],
  ])('%s is refused, and no part of it is in the message', async (_what, content, problem) => {
    const files = await filesOfTest();
    const token = tokenFile(await files.write('token', content), logOf().log);
    const error = await token.value().catch((thrown) => thrown);
    expect(error).toMatchObject(unreadable(problem));
    expect(error.message).not.toContain('eyJ');
  });

  test('that is a folder, or a pipe without a writer, is refused at once', async () => {
    const files = await filesOfTest();
    await mkdir(files.path('folder'));
    await promisify(execFile)('mkfifo', [files.path('pipe')]);
    for (const name of ['folder', 'pipe']) {
      const read = tokenFile(files.path(name), logOf().log).value();
      await expect(within(10_000, 'a refusal', read)).rejects.toMatchObject(unreadable(/no regular file/));
    }
  });

  test('that is gone or damaged later leaves the token that it had, and the log says so once', async () => {
    const files = await filesOfTest();
    const { lines, log } = logOf();
    const token = tokenFile(await files.write('token', TOKEN), log);
    expect(await token.value()).toBe(TOKEN);
    await truncate(files.path('token'));
    await expect(token.value(TOKEN)).rejects.toMatchObject(unreadable(/it is empty/));
    expect(await token.value()).toBe(TOKEN);
    await rm(files.path('token'));
    later();
    expect([await token.value(), await token.value()]).toEqual([TOKEN, TOKEN]);
    expect(lines).toHaveLength(1);
    await writeFile(files.path('token'), 'another');
    later();
    expect(await token.value()).toBe('another');
  });

  test('is read once for requests that come together', async () => {
    const files = await filesOfTest();
    const token = tokenFile(await files.write('token', TOKEN), logOf().log);
    const first = token.value();
    await files.write('token', 'another');
    expect(new Set(await Promise.all([first, token.value()])).size).toBe(1);
  });
});

test.each(['a', 'AZaz09-._~+/', 'abc==', ' padded \n'])('a token may be %j', (text) => {
  expect(tokenIn(text)).toBe(text.trim());
});

describe('a CA file', () => {
  const authorities = [testAuthority('one'), testAuthority('two')];
  const [one = '', two = ''] = authorities.map(({ certificate }) => certificate);

  test('may have several certificates, and text between them', () => {
    expect(certificatesIn(`# old\n${one}# new\n${two}`)).toHaveLength(2);
  });

  test.each<[string, string, RegExp]>([
    ['without a certificate', 'no certificate', /no certificate in PEM/],
    ['that is empty', '', /it is empty/],
    ['with a certificate that is cut off', `${one}${two.slice(0, -40)}`, /is cut off/],
    ['with a damaged certificate', one.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /cannot be read/],
    ['with a key in place of a certificate', authorities[0]?.issue().key ?? '', /no certificate in PEM/],
    ['that is too large', 'x'.repeat(1_100_000), /more than 1048576 bytes/],
  ])('%s is refused', async (_what, content, problem) => {
    const files = await filesOfTest();
    const authority = caFile(await files.write('ca.crt', content), logOf().log);
    await expect(authority.value()).rejects.toMatchObject({
      code: 'ca_unreadable',
      message: expect.stringMatching(problem),
    });
  });
});

const KEY = /((?:blobs|expires-[0-9]{8}T[0-9]{6}Z-[0-9]+[smhd])\/)[^\s"'()]*[^\s"'():;,.]/g;
const DIGEST = /sha256[:%][0-9A-Za-z]+/g;

/** A storage's message without what follows a key's first segment: namespace, workflow id and digest. */
export function withoutKeys(message: string): string {
  return message.replaceAll(KEY, '$1…').replaceAll(DIGEST, 'sha256:…');
}

/** `unknown`: what the check needs could not be read. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

/** What a check found. */
export interface Finding {
  readonly level: Level;
  /** one sentence, without a full stop */
  readonly message: string;
  /** the command, or the change, that puts it right */
  readonly fix?: string;
}

export const ok = (message: string): Finding => ({ level: 'ok', message });
export const warning = (message: string, fix?: string): Finding => withFix('warning', message, fix);
export const problem = (message: string, fix?: string): Finding => withFix('problem', message, fix);
export const unknown = (message: string, fix?: string): Finding => withFix('unknown', message, fix);

function withFix(level: Level, message: string, fix: string | undefined): Finding {
  return { level, message, ...(fix !== undefined && { fix }) };
}

/** The findings that are there. A check is written as a list of conditions, most of which do not hold. */
export function those(...findings: readonly (Finding | undefined)[]): readonly Finding[] {
  return findings.filter((each) => each !== undefined);
}

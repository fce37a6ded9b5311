/** A program is missing on this machine. The message names it, why it is needed, and how to get it. */
export class MissingProgramError extends Error {
  static {
    MissingProgramError.prototype.name = 'MissingProgramError';
  }
}

/** Something that the tests need is not on this machine; the message says what, why and how to get it. */
export class MissingProgramError extends Error {
  static {
    MissingProgramError.prototype.name = 'MissingProgramError';
  }
}

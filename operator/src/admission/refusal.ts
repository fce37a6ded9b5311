/** A request that is not answered by an AdmissionReview. The message is for people, and has the fix where there is one. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** of HTTP */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

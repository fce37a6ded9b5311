import { ServiceError } from '../errors/service-error.ts';

/** @param fault says what is wrong with the token, and nothing of its text */
export function refused(fault: string): ServiceError {
  return new ServiceError('token_refused', `the token is refused: ${fault}`);
}

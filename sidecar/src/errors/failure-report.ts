import type { ErrorReport, FailureReport } from '@largepayload/crds';
import type { ServiceError } from './service-error.ts';

/** An error as the status report has it, for programs and for people. */
export function errorReport(error: ServiceError): ErrorReport {
  const { code, ...reason } = failureReport(error);
  return { code, message: error.message, ...reason };
}

/** The same for programs alone. */
export function failureReport({ code, reason }: ServiceError): FailureReport {
  if (reason === undefined) return { code };
  const { name, ...parameters } = reason;
  return { code, reason: name, parameters };
}

/** How often the cases with faults are repeated: once, or E2E_ROUNDS times (`make e2e-full`). */
export const rounds = Array.from({ length: Number(process.env.E2E_ROUNDS ?? 1) }, (_, index) => index + 1);

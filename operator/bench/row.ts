/** Of the table of `make bench-operator`. */
export type Row = readonly [what: string, measured: string, goal: string];

/** The known field whose spelling is nearest to an unknown field, if it is near enough. Case is ignored. */
export function nearest(field: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // Short names are near to many others: a name of two letters allows no mistake, a name of nine or more allows three.
    const allowed = Math.min(3, Math.floor(candidate.length / 3));
    // Keeps the comparison cheap for a name of megabytes, too.
    if (Math.abs(candidate.length - field.length) > allowed) continue;
    const distance = editDistance(field.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to insert, remove, replace or swap with their neighbour to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = entry(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? entry(beforePrevious, column - 2) + 1
          : Number.POSITIVE_INFINITY;
      current.push(Math.min(entry(previous, column) + 1, entry(current, column - 1) + 1, replaced, swapped));
    }
    beforePrevious = previous;
    previous = current;
  }
  return entry(previous, to.length);
}

function entry(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

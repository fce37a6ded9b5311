/** Parts begin at multiples of it, and what is given back is as long. Bytes */
const BLOCK = 4_096;

/** Where memory is free. Bytes */
interface Gap {
  readonly from: number;
  readonly to: number;
}

/**
 * Memory of a fixed size in one piece, from which payloads get parts. With memory of its own for each payload, what others
 * leave behind is too small or too large for the next one, and the process takes nearly twice what it holds. The system gives
 * the memory page by page when it is first written.
 */
export class Slab {
  readonly #memory: Buffer;
  /** in order, none beside another */
  readonly #gaps: Gap[];

  /** @param size bytes */
  constructor(size: number) {
    this.#memory = Buffer.allocUnsafeSlow(blocksOf(size));
    this.#gaps = [{ from: 0, to: this.#memory.length }];
  }

  /** @returns parts with so many bytes together, as few as a short look finds; `undefined`: there is no room */
  take(size: number): readonly Buffer[] | undefined {
    const whole = this.#gaps.findIndex(({ from, to }) => to - from >= size);
    if (whole >= 0) return size === 0 ? [] : [this.#takeFrom(whole, size)];
    if (this.#gaps.reduce((sum, { from, to }) => sum + to - from, 0) < size) return undefined;
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0; missing -= (parts.at(-1) as Buffer).length)
      parts.push(this.#takeFrom(0, missing));
    return parts;
  }

  /** Takes back a part of `take`. Nothing, not even the kernel, may read or fill it any more. */
  give({ byteOffset, length }: Buffer): void {
    let [from, to] = [byteOffset, byteOffset + blocksOf(length)];
    const found = this.#gaps.findIndex((gap) => gap.from >= to);
    const after = found < 0 ? this.#gaps.length : found;
    const [left, right] = [this.#gaps[after - 1], this.#gaps[after]];
    const [joinsLeft, joinsRight] = [left?.to === from, right?.from === to];
    if (joinsLeft) ({ from } = left as Gap);
    if (joinsRight) ({ to } = right as Gap);
    this.#gaps.splice(after - Number(joinsLeft), Number(joinsLeft) + Number(joinsRight), { from, to });
  }

  /** The beginning of a gap, as much of it as is wanted. */
  #takeFrom(index: number, size: number): Buffer {
    const { from, to } = this.#gaps[index] as Gap;
    const end = Math.min(to, from + blocksOf(size));
    if (end === to) this.#gaps.splice(index, 1);
    else this.#gaps[index] = { from: end, to };
    return this.#memory.subarray(from, Math.min(end, from + size));
  }
}

function blocksOf(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

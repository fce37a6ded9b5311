const NAME_BYTES = 32;
const TAG_BYTES = 16;
const NUMBER_BYTES = 6;
const NUMBER_AT = NAME_BYTES + TAG_BYTES;
const ENTRY_BYTES = NUMBER_AT + NUMBER_BYTES;

/** 3.4 MiB */
const ENTRIES = 65_536;
/** Entries of the set to which a name belongs. */
const SET_ENTRIES = 8;
const SET_BYTES = SET_ENTRIES * ENTRY_BYTES;

export interface TagEntry {
  /** 16 bytes */
  readonly tag: Buffer;
  /** over 0; larger than those of all entries before it */
  readonly number: number;
}

/**
 * Tags by name (32 bytes, as good as random): about the newest 65,536 of them. A new entry replaces the oldest of its set of eight. Memory that
 * no entry has touched yet is not resident.
 */
export class TagTable {
  /** An empty entry has the number 0. */
  readonly #bytes = Buffer.alloc(ENTRIES * ENTRY_BYTES);

  find(name: Buffer): TagEntry | undefined {
    const at = this.#placeOf(name);
    if (at === undefined) return undefined;
    return {
      tag: Buffer.from(this.#bytes.subarray(at + NAME_BYTES, at + NUMBER_AT)),
      number: this.#numberAt(at),
    };
  }

  put(name: Buffer, { tag, number }: TagEntry): void {
    const at = this.#placeOf(name) ?? this.#oldestPlace(name);
    name.copy(this.#bytes, at);
    tag.copy(this.#bytes, at + NAME_BYTES);
    this.#bytes.writeUIntBE(number, at + NUMBER_AT, NUMBER_BYTES);
  }

  remove(name: Buffer): void {
    const at = this.#placeOf(name);
    if (at !== undefined) this.#bytes.fill(0, at, at + ENTRY_BYTES);
  }

  #placeOf(name: Buffer): number | undefined {
    const from = setOf(name);
    for (let at = from; at < from + SET_BYTES; at += ENTRY_BYTES) {
      if (name.compare(this.#bytes, at, at + NAME_BYTES) === 0 && this.#numberAt(at) > 0) return at;
    }
    return undefined;
  }

  #oldestPlace(name: Buffer): number {
    const from = setOf(name);
    let oldest = from;
    for (let at = from; at < from + SET_BYTES; at += ENTRY_BYTES) {
      if (this.#numberAt(at) < this.#numberAt(oldest)) oldest = at;
    }
    return oldest;
  }

  #numberAt(at: number): number {
    return this.#bytes.readUIntBE(at + NUMBER_AT, NUMBER_BYTES);
  }
}

/** Where the entries of a name begin: its first bytes choose. */
function setOf(name: Buffer): number {
  return (name.readUInt32BE() % (ENTRIES / SET_ENTRIES)) * SET_BYTES;
}

/**
 * Columns of numbers. A growing column has cells of 8 bytes; a sealed one has the narrowest cells
 * that its values fit in.
 *
 * @module
 */

export type Cells = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** The cell types of a sealed column in a file, the narrowest first. */
export const cellTypes = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f64: Float64Array,
} as const;
export type CellType = keyof typeof cellTypes;

const MAX: Readonly<Record<CellType, number>> = {
  u8: 0xff,
  u16: 0xffff,
  u32: 0xffff_ffff,
  f64: Infinity,
};

/** Most columns of a short segment stay empty. */
const NO_CELLS = new Float64Array(0);

/** A column. Only its first `length` cells have values. */
export class Column {
  cells: Cells;
  length: number;

  constructor(cells: Cells = NO_CELLS, length = 0) {
    this.cells = cells;
    this.length = length;
  }

  push(value: number): void {
    if (this.length === this.cells.length) {
      const wider = new Float64Array(Math.max(16, this.length * 2));
      wider.set(this.cells);
      this.cells = wider;
    }
    this.cells[this.length++] = value;
  }

  /** The same values in the narrowest cells. */
  sealed(): Column {
    const values = this.cells.subarray(0, this.length);
    let [least, most] = [0, 0];
    for (const value of values) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const types = Object.keys(cellTypes) as CellType[];
    const type = least < 0 ? 'f64' : (types.find((name) => most <= MAX[name]) ?? 'f64');
    return new Column(cellTypes[type].from(values), values.length);
  }
}

export function cellTypeOf({ cells }: Column): CellType {
  if (cells instanceof Uint8Array) return 'u8';
  if (cells instanceof Uint16Array) return 'u16';
  return cells instanceof Uint32Array ? 'u32' : 'f64';
}

/** Gives each distinct value a code: 0, 1, 2 … in the order in which they were added. */
export class Dictionary<T extends string | number> {
  readonly values: T[];
  /** Built at the first lookup by value: most dictionaries are only read by code. */
  #codes: Map<T, number> | null = null;

  constructor(values: readonly T[] = []) {
    this.values = [...values];
  }

  /** The code of a value; an unknown value is added. */
  codeOf(value: T): number {
    let code = this.find(value);
    if (code === undefined) {
      code = this.values.length;
      this.values.push(value);
      this.#codes?.set(value, code);
    }
    return code;
  }

  /** The code of a value; undefined if it was never added. */
  find(value: T): number | undefined {
    this.#codes ??= new Map(this.values.map((known, code) => [known, code]));
    return this.#codes.get(value);
  }

  /** The value of a code. Throws `RangeError` for a code that was never given. */
  at(code: number): T {
    const value = this.values[code];
    if (value === undefined) {
      throw new RangeError(`no value has code ${code}: the dictionary has ${this.values.length}`);
    }
    return value;
  }
}

/** How many of the ascending numbers are less than `number`. */
export function countBelow(ascending: ArrayLike<number>, number: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

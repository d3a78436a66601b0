/**
 * `LsofFields`: the output of `lsof -F`, a field a line or all fields of a process in one: `p4242`, `ckvm`,
 * `f30`, `n/dev/vfio/57`. The process stands before its files, and the number of a file before its name.
 *
 * @module
 */

/** An open file of a process: its descriptor, and its name. */
export interface ListedFile {
  readonly pid: number;
  readonly comm: string | null;
  readonly fd: number;
  readonly name: string;
}

/** The fields that lsof knows, by their letters. */
const field = /^[acCdDfFgGiklLnNoprRsStTu0-9](?!$).*|^[cn]$/;
const process = /^p\d{1,10}$/;

export class LsofFields {
  #pid: number | null = null;
  #comm: string | null = null;
  #fd: number | null = null;

  /** Whether a process was named whose files may follow. */
  get isOpen(): boolean {
    return this.#pid !== null;
  }

  /** The files that a line completes; null if the line is not of such a list. */
  line(text: string): readonly ListedFile[] | null {
    const fields = text
      .replace(/\r$/, '')
      .split('\0')
      .filter((part) => part !== '');
    const isOurs = this.#pid === null ? process.test(fields[0] ?? '') : fields.length > 0;
    if (!isOurs || !fields.every((part) => field.test(part))) {
      this.#pid = null;
      return null;
    }
    return fields.flatMap((part) => this.#take(part.charAt(0), part.slice(1)) ?? []);
  }

  #take(letter: string, value: string): ListedFile | null {
    switch (letter) {
      case 'p':
        this.#pid = process.test(`p${value}`) ? Number(value) : null;
        this.#comm = null;
        this.#fd = null;
        return null;
      case 'c':
        this.#comm = value === '' ? null : value;
        return null;
      case 'f':
        this.#fd = /^\d{1,9}$/.test(value) ? Number(value) : null;
        return null;
      case 'n':
        return this.#pid === null || this.#fd === null
          ? null
          : { pid: this.#pid, comm: this.#comm, fd: this.#fd, name: value };
      default:
        return null;
    }
  }
}

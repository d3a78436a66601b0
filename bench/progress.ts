/**
 * How far something is that takes long, on stderr, once a second at most.
 *
 * @module
 */

const INTERVAL = 1000;

export class ProgressLog {
  readonly #what: string;
  readonly #all: number;
  #told = performance.now();

  constructor(what: string, all: number) {
    this.#what = what;
    this.#all = all;
  }

  at(done: number): void {
    const now = performance.now();
    if (now - this.#told < INTERVAL) return;
    this.#told = now;
    process.stderr.write(`${this.#what}: ${done} of ${this.#all}\n`);
  }
}

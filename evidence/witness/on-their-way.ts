/**
 * `OnTheirWay`: descriptors that were sent over a socket and not yet received.
 *
 * @module
 */
import { isOf, isOurs } from './shown.ts';
import type { Seen } from './traced.ts';

/** The number of sent descriptors to remember. Beyond it the oldest are forgotten. */
const MOST = 1024;

export class OnTheirWay {
  /** The files of the descriptors, oldest first; null for a file that is not VFIO's. */
  readonly #sent: (Seen | null)[] = [];

  add(seen: Seen | null): void {
    this.#sent.push(seen);
    if (this.#sent.length > MOST) this.#sent.shift();
  }

  /** Takes the oldest that may be a received one; `path` is null if the trace shows none. */
  receive(path: string | null): Seen | null {
    const at = this.#sent.findIndex((seen) =>
      path === null ? true : seen === null ? !isOurs(path) : isOf(seen, path),
    );
    const [sent = null] = at < 0 ? [] : this.#sent.splice(at, 1);
    return sent;
  }

  has(seen: Seen): boolean {
    return this.#sent.includes(seen);
  }

  clear(): void {
    this.#sent.length = 0;
  }
}

/**
 * `Wrapper`: what loggers, journals, containers, terminals and mails put around a message.
 *
 * @module
 */
import type { Stamp } from './times.ts';

/** A line without one of its wrappers. What the wrapper does not say is left out. */
export interface Peeled {
  readonly inner: string;
  readonly stamp?: Stamp | null;
  /** The process that wrote the message. `name`: its name, or the identifier that it logs under. */
  readonly pid?: number | null;
  readonly name?: string | null;
  readonly host?: string | null;
  /** Whether the message is in the kernel's log. */
  readonly kernel?: boolean;
  /** The boot id of the host. */
  readonly boot?: string | null;
}

/** Takes one wrapper off a line; null if the line does not have it. */
export type Wrapper = (line: string) => Peeled | null;

/** A number that a log prints; null if it is none, or too long for one. */
export function numberOf(text: string | null | undefined): number | null {
  return text != null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

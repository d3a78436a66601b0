/**
 * `LogKind`: what the events of a log come from. A log has one kind: a simulated host and a real one in
 * one history would be answered for as one host.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Appendable } from './appendable.ts';

/** `evidence` includes recorded answers of a kernel (`truth`). */
type LogKind = 'simulation' | 'evidence';

const kindWords: Readonly<Record<LogKind, string>> = {
  simulation: 'a simulation',
  evidence: 'evidence of a real host',
};

/** The kind that an event shows; null if it may be in any log, as a gap may. */
function kindOf({ type, data }: LedgerEvent): LogKind | null {
  if (type === 'host.booted') return data.simulated ? 'simulation' : 'evidence';
  return data.evidence === undefined || type === 'gap.noticed' ? null : 'evidence';
}

/** The kind of a log, by its first event that shows it; null if none does. */
function kindOfLog(log: Appendable): LogKind | null {
  for (const boot of log.each('host.booted')) return kindOf(boot);
  for (const event of log.each()) {
    const kind = kindOf(event);
    if (kind !== null) return kind;
  }
  return null;
}

/** Throws `bad-request` if the log is of the other kind. */
export function checkKind(log: Appendable, kind: LogKind): void {
  const known = kindOfLog(log);
  if (known === null || known === kind) return;
  throw new RequestError(
    `the log has ${kindWords[known]}: record ${kindWords[kind]} in another log`,
  );
}

/** Throws `bad-request` if events are not of the kind of the log. */
export function checkKindOf(log: Appendable, events: readonly LedgerEvent[]): void {
  for (const event of events) {
    const kind = kindOf(event);
    if (kind !== null) return checkKind(log, kind);
  }
}

/**
 * A check of the events of an import, each with the name of its source. It throws `bad-request` at an
 * event that is not of the kind of the log, or of the events before.
 */
export function oneKind(log: Appendable | null): (event: LedgerEvent, source: string) => void {
  let known = log === null ? null : kindOfLog(log);
  let where = 'the log has';
  return (event, source) => {
    const kind = kindOf(event);
    if (kind === null || kind === known) return;
    if (known !== null) {
      const reason = `it is ${kindWords[kind]}, and ${where} ${kindWords[known]}`;
      throw new RequestError(`${source}: ${reason}: import it into another log`);
    }
    known = kind;
    where = `${source} is`;
  };
}

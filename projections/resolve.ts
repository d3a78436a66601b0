/**
 * From the words of a question to the subject that they mean in a log.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import { keyOf, parseSubject, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/**
 * The subject that a word means. Devices go by PCI address, by name, and by the node that they had
 * at the position. Throws `unknown-subject`.
 */
export function resolveSubject(timeline: Timeline, word: string, position: number): Subject {
  // Callers without types may give anything.
  const { kind, word: id } = parseSubject(String(word));
  const subject = { kind, id: kind === 'device' ? deviceNamed(timeline, id, position) : id };
  if (timeline.knows(keyOf(subject), position)) return subject;
  throw new LedgerError('unknown-subject', `'${word}' is no ${kind} that this log knows`);
}

function deviceNamed(timeline: Timeline, word: string, position: number): string {
  const host = timeline.hostAt(position);
  if (host.device(word) !== undefined) return word;
  // A name may have moved from boot to boot: what it meant then comes first.
  for (const { device, name, cdev } of host.devices()) {
    if (name === word || cdev === word) return device;
  }
  if (timeline.knows(`device ${word}`, position)) return word;
  return timeline.deviceNames.get(word) ?? timeline.deviceNodes.get(word) ?? word;
}

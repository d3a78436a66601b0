/**
 * Resolves the word for a subject in a question to a subject of the log.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import { keyOf, parseSubject, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/**
 * The subject that a word means (`parseSubject`). A name or node of a device means the device that
 * had it at `position`, else the last one that had it. Throws `unknown-subject` if no event
 * concerns the subject.
 */
export function resolveSubject(timeline: Timeline, word: string, position: number): Subject {
  // A caller in JavaScript may pass a number.
  const { kind, word: id } = parseSubject(String(word));
  const subject = { kind, id: kind === 'device' ? deviceNamed(timeline, id, position) : id };
  if (timeline.knows(keyOf(subject), position)) return subject;
  throw new LedgerError('unknown-subject', `this log has no ${kind} '${word}'`);
}

function deviceNamed(timeline: Timeline, word: string, position: number): string {
  const host = timeline.hostAt(position);
  if (host.device(word) !== undefined) return word;
  // Names may move between devices from boot to boot: the device that has it now comes first.
  for (const { device, name, cdev } of host.devices()) {
    if (name === word || cdev === word) return device;
  }
  if (timeline.knows(`device ${word}`, position)) return word;
  return timeline.deviceNames.get(word) ?? timeline.deviceNodes.get(word) ?? word;
}

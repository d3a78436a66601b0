/**
 * Refusals, and what explains them.
 *
 * @module
 */
import type { CallOf, Operation, Placed } from '../events/vocabulary.ts';
import { causes } from '../machines/causes.ts';
import type { Kernel } from '../machines/kernel.ts';
import type { Blocker as Obstacle } from '../machines/check.ts';
import { becauseOf, wouldPassAfter } from './counterfactual.ts';
import type { Blocker, Why } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { keepers } from './views.ts';

/** The attempt asked about was not refused, or there is none. */
export class NoRefusalError extends Error {
  override readonly name = 'NoRefusalError';
}

/** Causes that nothing that happened has made, and that nothing later mends. */
const inTheCall = new Set(['malformed-argument', 'unsupported', 'not-ownership', 'unknown']);

/** Explains the refusal at a position. Throws `NoRefusalError` where none stands there. */
export function explainRefusal(timeline: Timeline, position: number): Why {
  const event = position < 0 ? undefined : timeline.at(position);
  if (event?.type !== 'operation.refused') {
    const what = event === undefined ? 'there is no event' : `'${event.type}'`;
    throw new NoRefusalError(`position ${position} is not a refusal: ${what}`);
  }
  const { operation, errno } = event.data;
  const call = event.data as CallOf<Operation>;
  const host = timeline.hostAt(position - 1);
  const { cause, refusal } = host.explain(call, errno);
  const obstacle = refusal?.blocker ?? null;
  const blocker = obstacle === null ? null : blockerOf(host, obstacle);
  const summary = cause === 'unknown' ? 'the rules do not explain it' : causes[cause];
  const found = { position, operation, errno, cause, summary, blocker };
  if (inTheCall.has(cause)) return { ...found, because: [], wouldPassAfter: null };
  return {
    ...found,
    because: becauseOf(timeline, position, call),
    wouldPassAfter: wouldPassAfter(timeline, position, call),
  };
}

function blockerOf(host: Kernel, { kind, file, driver }: Obstacle): Blocker {
  return { kind, file, driver, holders: file === null ? [] : keepers(host, [file]) };
}

/**
 * The last refusal of a subject up to a position; null where there is none. What was refused of a
 * group as a whole was refused of each of its devices.
 */
export function latestRefusal(timeline: Timeline, subject: Subject, until: number): number | null {
  const isRefusal = (position: number): boolean =>
    position <= until && timeline.at(position).type === 'operation.refused';
  const own = timeline.positionsOf(keyOf(subject)).findLast(isRefusal) ?? null;
  if (subject.kind !== 'device') return own;
  const shared = timeline
    .groupsOfDevice(subject.id)
    .flatMap((group) => timeline.positionsOf(keyOf({ kind: 'group', id: group })))
    .filter((position) => isRefusal(position) && concernsWholeGroup(timeline.at(position)))
    .filter((position) => isInGroup(timeline, subject.id, position));
  const latest = Math.max(own ?? -1, ...shared);
  return latest < 0 ? null : latest;
}

/** Whether a refusal of a whole group was one of the group that the device sat in then. */
function isInGroup(timeline: Timeline, device: string, position: number): boolean {
  const event = timeline.at(position);
  const host = timeline.hostAt(position - 1);
  const asked = event.type === 'operation.refused' ? host.question(event.data).group : undefined;
  return asked !== undefined && host.device(device)?.group === asked;
}

const ofGroups = new Set<Operation>([
  'open_group',
  'open_path',
  'set_container',
  'unset_container',
  'group_status',
]);

function concernsWholeGroup(event: Placed): boolean {
  return event.type === 'operation.refused' && ofGroups.has(event.data.operation);
}

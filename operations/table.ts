/**
 * The table of all operations, and the look-ups in it: the call behind an event, the event of a
 * call, the operation behind the number of an ioctl.
 *
 * @module
 */
import type { Call, EventType, Fact, Operation, RecordedAttempt } from '../events/vocabulary.ts';
import { containerRows } from './container.ts';
import { descriptorRows } from './descriptor.ts';
import { deviceRows } from './device.ts';
import { groupRows } from './group.ts';
import { iommufdRows } from './iommufd.ts';
import { openRows } from './open.ts';
import { otherRequests } from './other-requests.ts';
import { processRows } from './process.ts';
import {
  fileKinds,
  type FileKind,
  type Outcome,
  type RecordedCall,
  type Recording,
  type OperationRow,
  type Rows,
  type TracedPlace,
} from './row.ts';
import type { TracedWords } from './traced-words.ts';

export const rows: Rows<Operation> = {
  ...openRows,
  ...deviceRows,
  ...groupRows,
  ...containerRows,
  ...iommufdRows,
  ...descriptorRows,
  ...processRows,
};

/** A row, typed for a caller that does not know which operation it is. */
interface AnyRow extends Omit<OperationRow<Operation>, 'records' | 'traced' | 'handsOut'> {
  readonly records: readonly AnyRecording[];
  readonly traced: ((place: TracedPlace, words: TracedWords) => RecordedAttempt) | null;
  readonly handsOut: ((call: Call, lowestFree: (pid: number) => number) => number) | null;
}

interface AnyRecording extends Pick<Recording<Operation>, 'type'> {
  readonly data: (
    call: RecordedAttempt,
    passed: Extract<Outcome, { errno: null }>,
  ) => Fact['data'] | null;
  readonly call: (data: Fact['data']) => RecordedCall | null;
}

export const operationNames = Object.keys(rows) as Operation[];

/** The row of an operation. */
export function rowOf(operation: Operation): AnyRow {
  return rows[operation] as unknown as AnyRow;
}

/** The processes that a call names: its caller, and others. */
export function processesOf(call: Call): number[] {
  const given = call as Readonly<Record<string, unknown>>;
  const pids = 'pid' in call ? [call.pid] : [];
  for (const name of rowOf(call.operation).processes) {
    if (name in given) pids.push(given[name] as number);
  }
  return pids;
}

/** The event of a call: `operation.refused` if it failed; null if the log holds nothing of it. */
export function factOf(call: RecordedAttempt, outcome: Outcome): Fact | null {
  if (outcome.errno !== null) {
    return { type: 'operation.refused', data: { ...call, errno: outcome.errno } };
  }
  for (const { type, data } of rowOf(call.operation).records) {
    const found = data(call, outcome);
    if (found !== null) return { type, data: found } as Fact;
  }
  return null;
}

/** The recordings of each type of event that machines take; `ioas.mapped` has two. */
const taken: ReadonlyMap<EventType, readonly AnyRecording[]> = Map.groupBy(
  operationNames
    .map(rowOf)
    .filter(({ takenBy }) => takenBy === 'machines')
    .flatMap(({ records }) => records),
  ({ type }) => type,
);

/**
 * The call behind an event that machines take, and its results. Null for events of processes and of
 * the host, which concern no machine, and for refusals, which change nothing.
 */
export function callOf(fact: Fact): RecordedCall | null {
  return callAmong(taken, fact);
}

function callAmong(
  of: ReadonlyMap<EventType, readonly AnyRecording[]>,
  { type, data }: Fact,
): RecordedCall | null {
  for (const recording of of.get(type) ?? NONE) {
    const recorded = recording.call(data);
    if (recorded !== null) return recorded;
  }
  return null;
}

const NONE: readonly AnyRecording[] = [];

/** The recordings of each type of event, whoever takes it. */
const recordings: ReadonlyMap<EventType, readonly AnyRecording[]> = Map.groupBy(
  operationNames.map(rowOf).flatMap(({ records }) => records),
  ({ type }) => type,
);

/**
 * As `callOf`, also for events of processes. A duplicate is the one of `dup`, a start of a process
 * `spawn`, and a new driver of a device `set_driver`.
 */
export function recordedCall(fact: Fact): RecordedCall | null {
  return callAmong(recordings, fact);
}

/** What events of a type do with the context of a file (`Row.context`). */
export function contextOf(type: EventType): AnyRow['context'] {
  return contexts.get(type) ?? null;
}

const contexts = new Map(
  operationNames.flatMap((operation) => {
    const { context, records } = rowOf(operation);
    return records.map(({ type }) => [type, context] as const);
  }),
);

/** Whether a refused `bg_wait` ends the driver change; ECHILD does not, as there is none. */
export function isCollectedBy({
  operation,
  errno,
}: {
  readonly operation: Operation;
  readonly errno: string | null;
}) {
  return rowOf(operation).makes === 'end-of-driver-change' && errno !== 'ECHILD';
}

/** For each kind of file, the operation of each ioctl number that it takes. */
const requests = new Map<FileKind, ReadonlyMap<number, Operation>>(
  fileKinds.map((kind) => [
    kind,
    new Map(
      operationNames.flatMap((operation) => {
        const { request } = rowOf(operation);
        return request?.on.includes(kind) === true ? [[request.number, operation] as const] : [];
      }),
    ),
  ]),
);

interface Requested {
  readonly operation: Operation;
  readonly request: number;
}

/**
 * The operation behind an ioctl on a kind of file; null if it is none. `numbers` are all numbers
 * that the ioctl may have. An ioctl that the file does not take is still an attempt, which the
 * kernel refuses: it is the operation of the first kind in `fileKinds` that takes its number.
 */
export function requestedOf(kind: FileKind | null, numbers: readonly number[]): Requested | null {
  for (const kinds of [kind === null ? [] : [kind], fileKinds]) {
    for (const request of numbers) {
      for (const known of kinds) {
        const operation = requests.get(known)?.get(request);
        if (operation !== undefined) return { operation, request };
      }
    }
  }
  return null;
}

/** The attempt of a traced ioctl, with null for what is not shown; null if it is no ioctl. */
export function tracedAttempt(
  operation: Operation,
  place: TracedPlace,
  words: TracedWords,
): RecordedAttempt | null {
  return rowOf(operation).traced?.(place, words) ?? null;
}

/** The call of an ioctl number that takes no structure, with the argument 0; otherwise null. */
export function bareCall(number: number, place: TracedPlace): Call | null {
  for (const operation of operationNames) {
    const { request, traced } = rowOf(operation);
    if (request?.number !== number || request.argument === 'pointer' || traced === null) continue;
    return traced(place, { value: 0 }) as Call;
  }
  return null;
}

/** The ioctls whose argument is the address of a structure, by kind of file and number. */
const structured = new Map(
  fileKinds.map((kind) => [
    kind,
    new Map<number, { readonly isRecent: boolean }>([
      ...operationNames.flatMap((operation) => {
        const { request } = rowOf(operation);
        const isHere = request?.argument === 'pointer' && request.on.includes(kind);
        return isHere ? [[request.number, { isRecent: false }] as const] : [];
      }),
      ...otherRequests.flatMap((other) =>
        other.on.includes(kind) ? [[other.number, other] as const] : [],
      ),
    ]),
  ]),
);

/**
 * Whether a kind of file knows an ioctl number with a structure, and whether Linux 6.12 lacks it
 * (`isRecent`); null if it does not know it.
 */
export function structuredRequest(kind: FileKind, number: number) {
  return structured.get(kind)?.get(number) ?? null;
}

/** The number of every ioctl, by its name in kernel headers and traces. */
export const requestNumbers: ReadonlyMap<string, number> = new Map([
  ...operationNames.flatMap((operation) => {
    const { request } = rowOf(operation);
    return request === null ? [] : [[request.name, request.number] as const];
  }),
  ...otherRequests.flatMap(({ name, number }) => (name === null ? [] : [[name, number] as const])),
]);

/** The numbers of ioctls whose argument is a number, not an address. */
export const requestsByValue: ReadonlySet<number> = new Set(
  operationNames.flatMap((operation) => {
    const { request } = rowOf(operation);
    return request?.argument === 'value' ? [request.number] : [];
  }),
);

/** The ioctl number of an operation. Throws `RangeError` if it is no ioctl. */
export function requestOf(operation: Operation): number {
  const { request } = rowOf(operation);
  if (request === null) throw new RangeError(`operation '${operation}' is not an ioctl`);
  return request.number;
}

/**
 * Every operation in one table, and what is read out of it: the call behind an event, the event of a
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

/** A row for whoever holds a call of its operation without knowing which that is. */
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

/** The event of a call; null where its success changes nothing that the log keeps. */
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

const taken = new Map<EventType, AnyRecording>(
  operationNames
    .map(rowOf)
    .filter(({ takenBy }) => takenBy === 'machines')
    .flatMap(({ records }) => records.map((recording) => [recording.type, recording] as const)),
);

/**
 * The call behind an event that machines take, and what came of it; null for events of processes and
 * of the host, which no machine is asked about, and for refusals, which change nothing.
 */
export function callOf({ type, data }: Fact): RecordedCall | null {
  return taken.get(type)?.call(data) ?? null;
}

/** Whether events of a kind give a file a context that it keeps alive. */
export function givesContext(type: EventType): boolean {
  return contextOf(type) === 'given';
}

/** What events of a kind do with the context of a file. */
export function contextOf(type: EventType): AnyRow['context'] {
  return contexts.get(type) ?? null;
}

const contexts = new Map(
  operationNames.flatMap((operation) => {
    const { context, records } = rowOf(operation);
    return records.map(({ type }) => [type, context] as const);
  }),
);

/** Whether a refused wait collects the change: whatever it says, but that there is none. */
export function isCollectedBy({ operation, errno }: { operation: Operation; errno: string }) {
  return rowOf(operation).makes === 'end-of-driver-change' && errno !== 'ECHILD';
}

/** By kind of file, the operation of each request that it takes. */
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
 * What a request asks of a kind of file, of all numbers that it may have; null where nothing of ours.
 * The right request on the wrong file is refused, and is an attempt all the same: of two that have one
 * number that of the kind that comes first.
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

/** The attempt behind an ioctl in a trace, with null for what it does not show. */
export function tracedAttempt(
  operation: Operation,
  place: TracedPlace,
  words: TracedWords,
): RecordedAttempt | null {
  return rowOf(operation).traced?.(place, words) ?? null;
}

/** The call that a request without a structure is: its argument is 0. */
export function bareCall(number: number, place: TracedPlace): Call | null {
  for (const operation of operationNames) {
    const { request, traced } = rowOf(operation);
    if (request?.number !== number || request.argument === 'pointer' || traced === null) continue;
    return traced(place, { value: 0 }) as Call;
  }
  return null;
}

/** The requests whose argument is the address of a structure, by kind of file and number. */
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

/** What a kind of file says to a request that wants a structure; null where it does not know it. */
export function structuredRequest(kind: FileKind, number: number) {
  return structured.get(kind)?.get(number) ?? null;
}

/** Every request, by the name that headers and traces have for it. */
export const requestNumbers: ReadonlyMap<string, number> = new Map([
  ...operationNames.flatMap((operation) => {
    const { request } = rowOf(operation);
    return request === null ? [] : [[request.name, request.number] as const];
  }),
  ...otherRequests.flatMap(({ name, number }) => (name === null ? [] : [[name, number] as const])),
]);

/** The requests whose argument is a number itself. */
export const requestsByValue: ReadonlySet<number> = new Set(
  operationNames.flatMap((operation) => {
    const { request } = rowOf(operation);
    return request?.argument === 'value' ? [request.number] : [];
  }),
);

/** The number of an operation that is an ioctl. Throws `RangeError` for another. */
export function requestOf(operation: Operation): number {
  const { request } = rowOf(operation);
  if (request === null) throw new RangeError(`${operation} is no ioctl`);
  return request.number;
}

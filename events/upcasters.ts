/**
 * The upcasters: a chain that lifts events of older schemas to the current one, a version a step.
 *
 * @module
 */
/** An event of any schema: parsed JSON, not yet validated. */
export interface RawEvent {
  readonly type: string;
  readonly data: unknown;
}

/** Lifts an event from schema `from` to `from + 1`. A pure function. */
export interface Upcaster {
  readonly from: number;
  readonly upcast: (event: RawEvent) => RawEvent;
}

const chain: readonly Upcaster[] = [
  // Schema 2 adds history.removed and history.archived.
  { from: 1, upcast: (event) => event },
  // Schema 3 adds `evidence`, and null for arguments that evidence does not show.
  { from: 2, upcast: (event) => event },
  // Schema 4 adds, to `operation.refused`: null for `fd` and `errno`, and what a message names.
  { from: 3, upcast: withoutStandIn },
  // Schema 5 adds `vm` of processes, null for `comm` of `process.found`, and `releaseShown` of files; to
  // `operation.refused` null for `pid`, and `comm`; to waiters null for `comm`. Claims may
  // have `group`, and null for what no line names.
  { from: 4, upcast: withoutInvented },
  // Schema 6 adds ioas.mapped, and `port` of devices. In older events their absence shows nothing.
  { from: 5, upcast: (event) => event },
  // Schema 7 adds host.died, `pasid` of attach and detach, and `flags` of hwpt.allocated.
  { from: 6, upcast: (event) => event },
];

/**
 * Before schema 4, a refusal that a program reported had the descriptor of a file that stood in for
 * the one of the call. The number of that descriptor was at most -2.
 */
function withoutStandIn(event: RawEvent): RawEvent {
  const data = Object(event.data) as Readonly<Record<string, unknown>>;
  const { fd, evidence } = data;
  const isStandIn = typeof fd === 'number' && fd <= -2 && evidence !== undefined;
  if (event.type !== 'operation.refused' || !isStandIn) return event;
  return { ...event, data: { ...data, fd: null } };
}

/**
 * Before schema 5, a process whose pid no line shows had an invented pid in each of its events: above
 * the greatest one of the kernel (include/linux/threads.h:PID_MAX_LIMIT). A process without a name was
 * `somebody`.
 */
function withoutInvented(event: RawEvent): RawEvent {
  const data = Object(event.data) as Readonly<Record<string, unknown>>;
  switch (event.type) {
    case 'operation.refused': {
      // A refusal that shows its file needs the process: the file is that of its descriptor.
      const isTold = data['fd'] === undefined || data['fd'] === null;
      if (!isTold || !isInvented(data['pid'])) return event;
      return { ...event, data: { ...data, pid: null } };
    }
    case 'process.found': {
      if (data['comm'] !== NO_NAME || !isInvented(data['pid'])) return event;
      return { ...event, data: { ...data, comm: null } };
    }
    case 'driver.unbind-blocked': {
      const waiter = Object(data['waiter']) as Readonly<Record<string, unknown>>;
      if (waiter['comm'] !== NO_NAME || waiter['pid'] !== null) return event;
      return { ...event, data: { ...data, waiter: { ...waiter, comm: null } } };
    }
    default:
      return event;
  }
}

const NO_NAME = 'somebody';

function isInvented(pid: unknown): boolean {
  return typeof pid === 'number' && pid > 0x40_0000;
}

/** The current schema: the version of the shapes in `vocabulary.ts`. Each stored event has its own. */
export const SCHEMA = chain.length + 1;

/**
 * Joins upcasters into one function. `from` is the schema of the event that it gets.
 *
 * Throws `RangeError` unless the steps start at schema 1 and have no gap. So a missing step shows when
 * the program loads, not in the middle of an audit.
 */
export function upcastThrough(
  steps: readonly Upcaster[],
): (event: RawEvent, from: number) => RawEvent {
  for (const [index, step] of steps.entries()) {
    if (step.from !== index + 1) {
      throw new RangeError(`upcaster ${index} lifts schema ${step.from}, not schema ${index + 1}`);
    }
  }
  return (event, from) => steps.slice(from - 1).reduce((raw, step) => step.upcast(raw), event);
}

/** Lifts an event from its schema to the current one. */
export const upcast = upcastThrough(chain);

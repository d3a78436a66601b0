/**
 * Ships logs: to a server or another file, or from one.
 *
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import { optionsGiven, stringGiven } from '../events/given.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import { type Engine, isOfOneStream } from '../log/engine.ts';
import { schemeOf, shownAddress } from '../log/shown-address.ts';
import type { Route } from '../log/ship.ts';
import { CorruptLogError, type Head, NotALogError } from '../log/store.ts';

/** Options of `shipLog`. */
export interface ShipOptions {
  /** Address of the log that the events come from: a path, or a server. */
  readonly from: string;
  /** Address of the log that gets them, which is created if it is missing. */
  readonly to: string;
  /** Name of the only host to ship; by default all. */
  readonly host?: string | undefined;
  /** Called from time to time with the number of events that the other log has now, and that it will have. */
  readonly progress?:
    | ((so: { readonly arrived: number; readonly all: number }) => void)
    | undefined;
  /**
   * Ships also what is appended later, until `signal` aborts. A shipment that fails is tried again, and
   * the first of each series of failures goes to `failed`. It rejects if the last one fails, and at once
   * if `to` is no address.
   */
  readonly keep?:
    | { readonly signal: AbortSignal; readonly failed: (error: LedgerError) => void }
    | undefined;
  /** Called with what has arrived, if anything has, before it rejects because of a host. */
  readonly unfinished?: ((shipped: Shipped) => void) | undefined;
  /**
   * Called with what is to be known of a server, in a sentence, and with the message of each host that
   * failed, except the error that it rejects with.
   */
  readonly note?: ((words: string) => void) | undefined;
}

/** What has arrived of a host. */
export interface ShippedHost {
  readonly host: string;
  /** Events that this call has appended. */
  readonly shipped: number;
  /** The head in the log that got them. */
  readonly head: string;
}

/** What `shipLog` has done. Addresses are without credentials. */
export interface Shipped {
  readonly from: string;
  readonly to: string;
  readonly hosts: readonly ShippedHost[];
}

/**
 * Appends to one log what another one has after its head, unchanged: positions, hashes and ids stay.
 * Each event is verified when it arrives. What was interrupted is continued by the next call. If a host
 * cannot be shipped, the others are, and then it rejects with the worst of the errors: damage, then a
 * conflict.
 *
 * Rejects with `conflict` if the two logs have different events, which is never mended; with
 * `bad-request` if there is no such host, or if the events between the two are not there; with
 * `damaged`, after what came before the damage; and with `not-a-log`, `unavailable` or `unsupported`.
 */
export async function shipLog(options: ShipOptions): Promise<Shipped> {
  const { from, to, keep, note, unfinished } = optionsGiven('shipLog', options);
  stringGiven('shipLog', 'the address `from` as a string', from);
  stringGiven('shipLog', 'the address `to` as a string', to);
  const { engineAt, engineToFill } = await import('../log/engines.ts');
  const told = ({ notes }: Engine) => notes.forEach((words) => note?.(words));
  const source = await engineAt(from, { readOnly: true, create: false });
  try {
    told(source);
    const open = async () => {
      const target = await engineToFill(to);
      told(target);
      return target;
    };
    const shipped = (hosts: readonly ShippedHost[]) => ({
      from: shownAddress(from),
      to: shownAddress(to),
      hosts,
    });
    if (keep !== undefined) return shipped(await keepShipping(source, open, options, keep));
    const { hosts, faults } = await shipOnce(source, open, options);
    const [worst, ...others] = faults;
    if (worst === undefined) return shipped(hosts);
    if (hosts.some((each) => each.shipped > 0)) unfinished?.(shipped(hosts));
    for (const { message } of others) note?.(message);
    throw worst;
  } finally {
    await source.close();
  }
}

type Open = () => Promise<Engine>;

/** The hosts of which something is there, and the errors of the others, the worst first. */
interface ShippedStreams {
  readonly hosts: readonly ShippedHost[];
  readonly faults: readonly LedgerError[];
}

async function shipOnce(source: Engine, open: Open, options: ShipOptions): Promise<ShippedStreams> {
  const streams = await streamsOf(source, options);
  const target = await open();
  try {
    return await shipStreams(source, target, streams, options);
  } finally {
    await target.close();
  }
}

/** Ships what is appended, with one connection as long as it holds. */
async function keepShipping(
  source: Engine,
  open: Open,
  options: ShipOptions,
  { signal, failed }: NonNullable<ShipOptions['keep']>,
): Promise<readonly ShippedHost[]> {
  const sum = new Map<string, ShippedHost>();
  let target: Engine | null = null;
  let pause = SHIP_EVERY_MS;
  try {
    for (;;) {
      const isLast = signal.aborted;
      try {
        target ??= await open();
        const names = await source.streams();
        const streams = names.filter((name) => name === (options.host ?? name));
        const { hosts, faults } = await shipStreams(source, target, streams, options);
        for (const each of hosts) {
          const shipped = each.shipped + (sum.get(each.host)?.shipped ?? 0);
          sum.set(each.host, { ...each, shipped });
        }
        if (faults[0] !== undefined) throw faults[0];
        if (isLast) return [...sum.values()];
        pause = SHIP_EVERY_MS;
      } catch (error) {
        if (isLast || !(error instanceof LedgerError)) throw error;
        if (target === null && isForGood(error)) throw error;
        if (pause === SHIP_EVERY_MS) failed(error);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        await target?.close();
        target = null;
      }
      await setTimeout(pause, undefined, { signal }).catch(() => {});
    }
  } finally {
    await target?.close();
  }
}

/** Whether an address that could not be opened is one that never can be. */
function isForGood({ code }: LedgerError): boolean {
  return code === 'bad-request' || code === 'unsupported';
}

/** The pause between two shipments, and the longest one after failures. */
const SHIP_EVERY_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Ships streams one after the other. Throws what concerns all of them. */
async function shipStreams(
  source: Engine,
  target: Engine,
  streams: readonly string[],
  { progress }: ShipOptions,
): Promise<ShippedStreams> {
  const ends = await Promise.all(streams.map(async (stream) => endOf(source, stream)));
  const all = ends.reduce((sum, position) => sum + position + 1, 0);
  const hosts: ShippedHost[] = [];
  const faults: LedgerError[] = [];
  let before = 0;
  for (const [index, stream] of streams.entries()) {
    const arrived = (position: number) => progress?.({ arrived: before + position + 1, all });
    const { host, fault } = await shipStream({ stream, source, target, arrived });
    if (host !== null) hosts.push(host);
    if (fault !== null) faults.push(fault);
    before += (ends[index] ?? -1) + 1;
  }
  const rank = ({ code }: LedgerError) => WORST.indexOf(code);
  return { hosts, faults: faults.toSorted((a, b) => rank(a) - rank(b)) };
}

/** The codes of errors of one stream, the worst first. */
const WORST: readonly string[] = ['damaged', 'conflict', 'unavailable', 'too-large', 'bad-request'];

/** The position of the last event of a stream; -1 if it cannot be read. */
async function endOf(source: Engine, stream: string): Promise<number> {
  try {
    return (await source.head(stream)).position;
  } catch (error) {
    if (isOfOneStream(error)) return -1;
    throw error;
  }
}

/** Ships a stream. If that fails, `host` is what has arrived before; null if nothing has. */
async function shipStream(
  route: Route,
): Promise<{ readonly host: ShippedHost | null; readonly fault: LedgerError | null }> {
  const { ship } = await import('../log/ship.ts');
  const { stream, target } = route;
  let begin: number | null = null;
  const shippedTo = ({ position, hash }: Head, shipped: number) => ({
    host: stream,
    shipped,
    head: `${position}:${hash}`,
  });
  try {
    begin = (await target.head(stream)).position;
    const { head, appended } = await ship(route);
    return { host: shippedTo(head, appended), fault: null };
  } catch (error) {
    if (!isOfOneStream(error)) throw error;
    const fault = error instanceof CorruptLogError ? error.ofHost(stream) : error;
    const head = begin === null ? null : await target.head(stream);
    if (head === null || begin === null || head.position === begin) return { host: null, fault };
    return { host: shippedTo(head, head.position - begin), fault };
  }
}

/**
 * The streams to ship. Throws `bad-request` if there is no such host, and `not-a-log` if a server has no
 * log at the address.
 */
async function streamsOf(source: Engine, { from, host }: ShipOptions): Promise<readonly string[]> {
  const names = await source.streams();
  if (names.length === 0 && schemeOf(from) !== null) {
    throw new NotALogError(`no log at ${source.name}: it has no events of any host`);
  }
  if (host === undefined) return names;
  if (names.includes(host)) return [host];
  throw new RequestError(
    `the log at ${source.name} holds no host '${host}'${nearestClause(host, names)}`,
  );
}

/**
 * Ships logs: to a server or another file, or from one.
 *
 * @module
 */
import { optionsGiven, stringGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import type { Engine } from '../log/engine.ts';
import { shownAddress } from '../log/shown-address.ts';

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
  /** Called with what is to be known of a server, in a sentence. */
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
 * Each event is verified when it arrives. What was interrupted is continued by the next call.
 *
 * Rejects with `conflict` if the two logs have different events, which is never mended; with
 * `bad-request` if there is no such host, or if the events between the two are not there; with
 * `damaged`, after what came before the damage; and with `not-a-log`, `unavailable` or `unsupported`.
 */
export async function shipLog(options: ShipOptions): Promise<Shipped> {
  const { from, to, host, progress, note } = optionsGiven('shipLog', options);
  stringGiven('shipLog', 'the address `from` as a string', from);
  stringGiven('shipLog', 'the address `to` as a string', to);
  const [{ engineAt }, { ship }] = await Promise.all([
    import('../log/engines.ts'),
    import('../log/ship.ts'),
  ]);
  const source = await engineAt(from, { readOnly: true, create: false });
  try {
    const streams = await streamsOf(source, host);
    const target = await engineAt(to, { readOnly: false, create: true });
    try {
      for (const words of [...source.notes, ...target.notes]) note?.(words);
      const heads = await Promise.all(
        streams.map(async (stream) => (await source.head(stream)).position + 1),
      );
      const all = heads.reduce((sum, length) => sum + length, 0);
      const hosts: ShippedHost[] = [];
      let before = 0;
      for (const [index, stream] of streams.entries()) {
        const arrived = (position: number) => progress?.({ arrived: before + position + 1, all });
        const { head, appended } = await ship({ stream, source, target, arrived });
        hosts.push({ host: stream, shipped: appended, head: `${head.position}:${head.hash}` });
        before += heads[index] ?? 0;
      }
      return { from: shownAddress(from), to: shownAddress(to), hosts };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** The streams to ship. Throws `bad-request` if there is no such host. */
async function streamsOf(source: Engine, host: string | undefined): Promise<readonly string[]> {
  const names = await source.streams();
  if (host === undefined) return names;
  if (names.includes(host)) return [host];
  throw new RequestError(
    `the log at ${source.name} holds no host '${host}'${nearestClause(host, names)}`,
  );
}

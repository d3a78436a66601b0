/**
 * The engine's contract on a server that runs already, and whose streams stay. Each test has streams of
 * its own there.
 *
 * @module
 */
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import type { Engine } from '../../../log/engine.ts';
import { genesisOf } from '../../../log/hash.ts';
import type { Head } from '../../../log/store.ts';
import { engineContract } from '../engine-contract.ts';
import type { TestProcesses } from './remote-engine.ts';

/** What a server takes in one append unless it is told otherwise. */
const LIMIT = 2 ** 20;

/** Tests the server at an address. */
export function realServerSuite(
  product: EventStoreProduct,
  address: string,
  { engines }: TestProcesses,
): void {
  engineContract(`${product} at an address that is set`, async () => {
    const prefix = `test-${crypto.randomUUID()}-`;
    const connect = async () => within(prefix, await engines().open(address));
    return { connect, limit: LIMIT };
  });
}

/** The streams of an engine whose names have a prefix, under their names without it. */
function within(prefix: string, engine: Engine): Engine {
  const stored = (stream: string, { position, hash }: Head): Head =>
    position < 0 && hash === genesisOf(stream)
      ? { position, hash: genesisOf(prefix + stream) }
      : { position, hash };
  return {
    ...engine,
    append: async (stream, expected, rows) =>
      engine.append(prefix + stream, stored(stream, expected), rows),
    read: (stream, from) => engine.read(prefix + stream, from),
    follow: (stream, from, signal) => engine.follow(prefix + stream, from, signal),
    async head(stream) {
      const { position, hash } = await engine.head(prefix + stream);
      return position < 0 ? { position, hash: genesisOf(stream) } : { position, hash };
    },
    async streams() {
      const names = await engine.streams();
      return names.flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : []));
    },
  };
}

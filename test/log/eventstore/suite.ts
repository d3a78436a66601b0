/**
 * What the engine keeps with each of the two clients, in a process of its own, on the protocol server.
 *
 * @module
 */
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { engineContract } from '../engine-contract.ts';
import { bareClientSuite } from './bare-client.ts';
import { faultsSuite } from './faults-suite.ts';
import { eventStoreProcesses } from './processes.ts';
import { randomFaults } from './random-faults.ts';
import { refusalsSuite } from './refusals-suite.ts';
import { addressOf } from './remote-engine.ts';

/** The most bytes of an append: less than servers have, so that it is soon reached. */
const LIMIT = 400_000;

export function eventStoreSuite(product: EventStoreProduct): void {
  const processes = eventStoreProcesses();
  bareClientSuite(product, processes.servers);
  engineContract(product, async () => {
    const server = await processes.servers().start({ limit: LIMIT });
    const connect = async () => processes.engines().open(addressOf(product, server));
    return { connect, limit: LIMIT };
  });
  faultsSuite(product, processes);
  randomFaults(product, processes);
  refusalsSuite(product, processes);
}

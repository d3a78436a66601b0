/**
 * What the engine keeps with each of the two clients, in a process of its own, on the protocol server.
 *
 * @module
 */
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { engineContract } from '../engine-contract.ts';
import { isCampaign } from '../../support/effort.ts';
import { bareClientSuite, naiveAdapterSuite } from './bare-client.ts';
import { faultsSuite } from './faults-suite.ts';
import { eventStoreProcesses } from './processes.ts';
import { realServerSuite } from './real-server.ts';
import { refusalsSuite } from './refusals-suite.ts';
import { addressOf } from './remote-engine.ts';

/** Where the address of a server may be, which is then tested too. */
const VARIABLES = { esdb: 'EVENTSTORE_URL', kurrentdb: 'KURRENTDB_URL' } as const;

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
  refusalsSuite(product, processes);
  if (isCampaign) {
    // They wait for deadlines.
    naiveAdapterSuite(product, processes.servers);
    faultsSuite(product, processes);
  }
  const address = process.env[VARIABLES[product]];
  if (address !== undefined) realServerSuite(product, address, processes);
}

/**
 * Events of one device: its owner lets go of it, others are refused it, and the owner takes it again.
 *
 * @module
 */
import { loadFigure } from './load.ts';
import { roundsOf, wideHost } from './wide-host.ts';

/** Events of a round. */
const ROUND = 7;

export const oneDevice = loadFigure({
  of: 'events of one device',
  sizes: [10_000, 100_000, 1_000_000],
  *facts(size) {
    yield* wideHost({ groups: 1, devices: 1, processes: 1 });
    yield* roundsOf(Math.ceil(size / ROUND), 1);
  },
  questions: {
    table: (ledger) => ledger.at('end').table(),
    'who of the device': (ledger) => ledger.at('end').who('0000:00:00.0'),
    'who of the device, in the middle': (ledger) =>
      ledger.at(Math.floor(ledger.length / 2)).who('0000:00:00.0'),
    'why, the last refusal': (ledger) => ledger.why('0000:00:00.0'),
    'why, the first refusal': (ledger) => ledger.why('0000:00:00.0', { at: 10 }),
    'history of the device': (ledger) => ledger.history('0000:00:00.0'),
  },
});

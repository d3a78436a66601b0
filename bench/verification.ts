/**
 * `verify`: beside the least that a check of the same log does, and as hosts and logs grow. All in
 * CPU time.
 *
 * @module
 */
import type { Fact } from '../events/vocabulary.ts';
import { openLedger } from '../ledger.ts';
import { Verifier } from '../projections/audit/verification.ts';
import { Timeline } from '../projections/timeline.ts';
import { cpuSeconds } from './cpu-time.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import { growth, type Medians } from './growth.ts';
import type { HostKind } from './hosts.ts';
import { type Measurement, measurement } from './measurement.ts';
import { checkRows } from './peers/checked-rows.ts';
import { placed, roundsOf, type Width, wideHost } from './wide-host.ts';

/** The longest log, in events: a longer one takes as long an event. */
const MOST = 1_000_000;

/** How many times as long `verify` may take as reading, hashing and parsing. */
const TIMES: Readonly<Record<HostKind, number>> = {
  whole: 25,
  'boot unseen': 25,
  'short boots': 10,
};

/** The exponents of the time: of all of it in events, of an event's in groups and the like. */
const GROWTH = { events: 1.05, width: 0.1 };
const [NARROW, WIDE] = [64, 4096];

const WIDTHS: Readonly<Record<keyof Width, (count: number) => Width>> = {
  groups: (count) => ({ groups: count, devices: count, processes: count }),
  devices: (count) => ({ groups: NARROW, devices: count, processes: NARROW }),
  processes: (count) => ({ groups: NARROW, devices: NARROW, processes: count }),
};

export const verification: Figure = async (run) => {
  const long = ['whole', 'boot unseen'] as const;
  const verified = await ofEachHost(run, { long, most: MOST }, async (lengths, host) => {
    const taken: Measurement[] = [];
    const medians: Medians[] = [];
    for (const events of lengths) {
      const { ours, peer } = await spentOnLog(run, { host, events });
      const beside = { name: 'rows read, hashed and parsed', peer };
      const row = { figure: 'verify', host, events, unit: 's' } as const;
      taken.push(measurement({ ...row, ours, beside, target: TIMES[host] }));
      medians.push({ events, of: ours });
    }
    const [from = 0, to = 0] = lengths;
    const limit = (to / from) ** GROWTH.events;
    return [...taken, ...growth({ figure: 'verify', host, limit }, medians)];
  });
  run.progress('wide hosts');
  return [...verified, ...widths(run)];
};

/** By turns; throws if the log of a host that was seen whole has faults. */
async function spentOnLog({ logs, effort }: Run, of: LogKind) {
  const { path } = await logs.at(of);
  const ledger = await openLedger(path);
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.longRounds; round++) {
    ours.push(
      cpuSeconds(() => {
        const [fault] = ledger.verify().faults;
        if (fault === undefined || of.host === 'boot unseen') return;
        throw new Error(`a log that is right has ${JSON.stringify(fault)}`);
      }),
    );
    peer.push(cpuSeconds(() => checkRows(path)));
  }
  await ledger.close();
  return { ours, peer };
}

/** An event's time on a wide host, as a multiple of that on a narrow one. */
function widths({ effort }: Run): Measurement[] {
  return Object.entries(WIDTHS).map(([what, widthOf]) => {
    const ours: number[] = [];
    for (let round = -effort.warmUp; round < effort.rounds; round++) {
      const narrow = spentOn(widthOf(NARROW), effort.questions);
      const wide = spentOn(widthOf(WIDE), effort.questions);
      if (round >= 0) ours.push(wide / narrow);
    }
    const figure = `verify of an event with ${WIDE} ${what}, as a multiple of that with ${NARROW}`;
    const beside = (WIDE / NARROW) ** GROWTH.width;
    return measurement({ figure, unit: 'x', ours, beside });
  });
}

/** What the rounds take on a host of that width, which boots before. Throws if there are faults. */
function spentOn(width: Width, rounds: number): number {
  const verifier = new Verifier(new Timeline().index.rebuild());
  const host: readonly Fact[] = wideHost(width);
  const events = placed([...host, ...roundsOf(rounds)]);
  for (const event of events.slice(0, host.length)) verifier.take(event);
  const spent = cpuSeconds(() => {
    for (const event of events.slice(host.length)) verifier.take(event);
  });
  const [fault] = verifier.findings;
  if (fault !== undefined) throw new Error(`a host that is right has ${JSON.stringify(fault)}`);
  return spent;
}

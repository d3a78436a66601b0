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
import type { Figure, Run } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';
import { checkRows } from './peers/checked-rows.ts';
import { repeatedRecording } from './recording.ts';
import { countText } from './report.ts';
import { placed, roundsOf, type Width, wideHost } from './wide-host.ts';

/** The longest log, in events: a longer one takes as long an event. */
const MOST = 1_000_000;

/** How many times as long `verify` may take as reading, hashing and parsing. */
const TIMES = { busy: 25, recorded: 10 };

/** The exponents of the time: of all of it in events, of an event's in groups and the like. */
const GROWTH = { events: 1.05, width: 0.1 };
const [NARROW, WIDE] = [64, 4096];

const WIDTHS: Readonly<Record<keyof Width, (count: number) => Width>> = {
  groups: (count) => ({ groups: count, devices: count, processes: count }),
  devices: (count) => ({ groups: NARROW, devices: count, processes: NARROW }),
  processes: (count) => ({ groups: NARROW, devices: NARROW, processes: count }),
};

export const verification: Figure = async (run) => {
  const longest = Math.min(run.lengths.at(-1) ?? MOST, MOST);
  const lengths = [longest / 10, longest];
  const busy = await verified(run, lengths, {
    figure: 'verify of the busy host',
    target: TIMES.busy,
    log: async (events) => (await run.logs.at(events)).path,
  });
  const recorded = await verified(run, lengths.slice(-1), {
    figure: 'verify of a recording, repeated',
    target: TIMES.recorded,
    log: async (events) => repeatedRecording(run, events),
  });
  return [...busy, ...recorded, ...widths(run)];
};

interface Verified {
  readonly figure: string;
  readonly target: number;
  /** The path of a log of so many events. */
  readonly log: (events: number) => Promise<string>;
}

async function verified(
  { effort }: Run,
  lengths: readonly number[],
  { figure, target, log }: Verified,
): Promise<Measurement[]> {
  const taken: Measurement[] = [];
  const times: (readonly number[])[] = [];
  for (const events of lengths) {
    const path = await log(events);
    const ledger = await openLedger(path);
    const [ours, peer]: [number[], number[]] = [[], []];
    for (let round = 0; round < effort.longRounds; round++) {
      ours.push(cpuSeconds(() => ledger.verify()));
      peer.push(cpuSeconds(() => checkRows(path)));
    }
    await ledger.close();
    const beside = { name: 'rows read, hashed and parsed', peer };
    taken.push(measurement({ figure, events, unit: 's', ours, beside, target }));
    times.push(ours);
  }
  const [first, second] = times;
  if (first === undefined || second === undefined) return taken;
  const [from, to] = lengths as [number, number];
  const multiples = second.map((spent, round) => spent / (first[round] ?? Number.NaN));
  const name = `${figure}, as a multiple of that at ${countText(from)}`;
  const beside = (to / from) ** GROWTH.events;
  const growth = { figure: name, events: to, unit: 'x', ours: multiples, beside } as const;
  return [...taken, measurement(growth)];
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
  const verifier = new Verifier(new Timeline().rebuild());
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

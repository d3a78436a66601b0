/**
 * A figure: how it is taken, and with how much effort.
 *
 * @module
 */
import { hostKinds, type HostKind } from './hosts.ts';
import type { Logs } from './logs.ts';
import type { Measurement } from './measurement.ts';

export type Figure = (run: Run) => Promise<readonly Measurement[]>;

export interface Run {
  /** A folder of the figure's own. */
  readonly folder: string;
  readonly effort: Effort;
  /** Lengths of logs that figures are taken at, ascending. */
  readonly lengths: readonly [shorter: number, longest: number];
  readonly logs: Logs;
  /** Notes a peer that is not there. */
  readonly leaveOut: (peer: string) => void;
  /** Tells what is being measured. */
  readonly progress: (what: string) => void;
}

export interface Effort {
  /** Rounds that do not count: until then code is compiled and files grow. */
  readonly warmUp: number;
  readonly rounds: number;
  /** Rounds of what takes seconds, or a process of its own. */
  readonly longRounds: number;
  /** Questions asked in a round. */
  readonly questions: number;
  /** The part of a full load: of so many hosts, processes, bytes. */
  readonly load: number;
}

/** The log that a measurement is of. */
export interface LogKind {
  readonly host: HostKind;
  readonly events: number;
}

/** Which lengths a figure is taken at. */
interface Range {
  /** The hosts that it is taken of at two lengths, which differ by ten; of the others at one. */
  readonly long?: readonly HostKind[];
  /** In events; a longer log is not asked for. */
  readonly most?: number;
}

/** Takes a figure of every kind of host, at one length or two. */
export async function ofEachHost(
  run: Run,
  { long = ['whole'], most = Infinity }: Range,
  take: (lengths: readonly number[], host: HostKind) => Promise<readonly Measurement[]>,
): Promise<Measurement[]> {
  const taken: Measurement[] = [];
  for (const host of hostKinds) {
    const longest = Math.min(run.lengths[1], most);
    const shorter = Math.min(run.lengths[0], most);
    run.progress(`a host: ${host}`);
    taken.push(...(await take(long.includes(host) ? [longest / 10, longest] : [shorter], host)));
  }
  return taken;
}

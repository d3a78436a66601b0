/**
 * The lanes of a segment: how each group and device looked before its first event, and each change of
 * that, found in one pass over the changes of groups, devices and files in the journal.
 *
 * @module
 */
import type { ChangeKind } from '../index/changes.ts';
import type { Codes } from '../index/codes.ts';
import type { Segment } from '../index/segment.ts';
import { DEVICE, type Standing } from '../index/standing.ts';
import { stepsOf, type Touch } from '../index/steps.ts';
import { StandingView } from '../index/view.ts';
import { hasUnnamed, isSameLook, Looks, type LaneLook } from './lane-look.ts';

/** The looks of a lane in one segment; null while it is not on the host. */
export interface LaneRun {
  /** Before the first event of the segment. */
  readonly before: LaneLook | null;
  /** Positions of the events after which it looks otherwise, ascending, and how it looks then. */
  readonly positions: readonly number[];
  readonly looks: readonly (LaneLook | null)[];
}

/** What is on a lane. */
export type LaneKind = 'group' | 'device';

const nothing: LaneRun = { before: null, positions: [], looks: [] };

export class SegmentLanes {
  readonly #codes: Codes;
  readonly #runs: Readonly<Record<LaneKind, readonly LaneRun[]>>;

  constructor(codes: Codes, runs: Readonly<Record<LaneKind, readonly LaneRun[]>>) {
    this.#codes = codes;
    this.#runs = runs;
  }

  run(kind: LaneKind, id: string): LaneRun {
    const { groups, devices } = this.#codes;
    const code = (kind === 'group' ? groups : devices).find(id);
    return (code === undefined ? undefined : this.#runs[kind][code]) ?? nothing;
  }
}

/** Lanes of segments in memory, with the number of events when they were made: an open segment grows. */
const made = new WeakMap<Segment, { readonly length: number; readonly lanes: SegmentLanes }>();

export function lanesOfSegment(segment: Segment): SegmentLanes {
  const { length } = segment;
  const known = made.get(segment);
  if (known?.length === length) return known.lanes;
  const lanes = madeFrom(segment);
  made.set(segment, { length, lanes });
  return lanes;
}

/** The changes on which looks depend. Holds and processes have none of them, and are the most. */
const kinds: ReadonlySet<ChangeKind> = new Set([
  'booted',
  'deviceSet',
  'deviceMoved',
  'groupSet',
  'fileOpened',
  'fileSet',
  'fileClosed',
  'waiting',
]);

function madeFrom({ parts }: Segment): SegmentLanes {
  const { codes, journal, start } = parts;
  const standing = start.copy();
  const watch = new LaneWatch(standing, codes);
  for (const position of stepsOf(journal, standing, watch.touch, kinds)) watch.look(position);
  return new SegmentLanes(codes, watch.runs);
}

interface GrowingRun extends LaneRun {
  readonly positions: number[];
  readonly looks: (LaneLook | null)[];
}

/** Looks again at the groups and devices that an event touched. */
class LaneWatch {
  readonly runs: Record<LaneKind, GrowingRun[]>;
  readonly touch: Touch = {
    everything: () => this.#touchAll(),
    group: (code) => this.#groups.add(code),
    device: (code) => this.#touchDevice(code),
    file: () => {},
  };
  readonly #standing: Standing;
  readonly #codes: Codes;
  readonly #hasUnnamed: boolean;
  /** Codes of what was touched since the last look. */
  readonly #groups = new Set<number>();
  readonly #devices = new Set<number>();

  constructor(standing: Standing, codes: Codes) {
    this.#standing = standing;
    this.#codes = codes;
    this.#hasUnnamed = hasUnnamed(codes.devices.values);
    const looks = new Looks(new StandingView(standing, codes), this.#hasUnnamed);
    const from = (before: LaneLook | null): GrowingRun => ({ before, positions: [], looks: [] });
    this.runs = {
      group: codes.groups.values.map((id) => from(looks.group(id))),
      device: codes.devices.values.map((id) => from(looks.device(id))),
    };
  }

  look(position: number): void {
    if (this.#groups.size > 0) this.#touchMembers();
    if (this.#groups.size + this.#devices.size === 0) return;
    const looks = new Looks(new StandingView(this.#standing, this.#codes), this.#hasUnnamed);
    const { groups, devices } = this.#codes;
    for (const code of this.#groups) {
      note(this.runs.group[code], position, looks.group(groups.at(code)));
    }
    for (const code of this.#devices) {
      note(this.runs.device[code], position, looks.device(devices.at(code)));
    }
    this.#groups.clear();
    this.#devices.clear();
  }

  #touchAll(): void {
    for (const code of this.#codes.groups.values.keys()) this.#groups.add(code);
    for (const code of this.#codes.devices.values.keys()) this.#devices.add(code);
  }

  /** A file of a device that has no name may be of any device of its group. */
  #touchDevice(code: number): void {
    if (this.#hasUnnamed && hasUnnamed([this.#codes.devices.at(code)])) this.#touchAll();
    else this.#devices.add(code);
  }

  /** Touches the devices of the groups that were touched. */
  #touchMembers(): void {
    const { cells, width, count } = this.#standing.devices;
    for (let code = 0; code < count; code++) {
      const group = cells[code * width + DEVICE.group]!;
      if (group !== 0 && this.#groups.has(group - 1)) this.#devices.add(code);
    }
  }
}

function note(run: GrowingRun | undefined, position: number, look: LaneLook | null): void {
  if (run === undefined) return;
  const last = run.looks.length === 0 ? run.before : run.looks.at(-1)!;
  if (isSameLook(last, look)) return;
  run.positions.push(position);
  run.looks.push(look);
}

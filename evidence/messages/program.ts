/**
 * Reads refusals and claims in messages of programs, in order.
 *
 * @module
 */
import type { NamedClaimant } from '../sighting.ts';
import { plain } from '../wrappers/escapes.ts';
import { checkStamps, DATE, TIME, ZONE, zoned, type Stamp } from '../wrappers/times.ts';
import type { Report } from '../sighting.ts';
import type { Unwrapped } from '../wrappers/unwrap.ts';
import { claimsIn, type Claimed } from './claims.ts';
import { DriverWrites } from './driver-writes.ts';
import { quotedKernel, type MessageDeed } from './kernel.ts';
import { LONGEST } from './names.ts';
import { refusalsIn, speaksOfRefusals, type RefusalReport } from './refusals.ts';
import { requesterIn } from './requester.ts';
import { ToldByBoth } from './told-by-both.ts';
import {
  claimKind,
  isLasting,
  refusalKind,
  refusedIn,
  ToldStatements,
  UNNAMED,
  type Telling,
} from './told.ts';

/** A deed that a program tells of. `stamp`: a time in the words, which is nearer to it than the line's. */
export interface Reported {
  readonly said: MessageDeed;
  readonly stamp: Stamp | null;
  /** What other sources may tell as well; null if no time could show that it is the same. */
  readonly telling: Telling | null;
}

/** The statements of a message. `isRepeated`: it has some that were told before. */
export interface ProgramSaid {
  readonly told: readonly Reported[];
  readonly isRepeated: boolean;
}

/** A guest that was to start, and the message or command that says so. */
interface Requester {
  readonly claimant: NamedClaimant;
  readonly text: string;
  readonly line: number;
}

/** The number of lines in which a refusal may be repeated in vaguer words. */
const MEMORY = 8;
/** The number of lines in which a tool tells which device it is that a shell was refused. */
const NEXT = 3;

/** Reads the messages of programs. */
export class ProgramReader {
  readonly #told = new ToldStatements();
  #requester: Requester | null = null;
  readonly #writes = new DriverWrites();
  readonly #byBoth = new ToldByBoth();
  #recent: (Pick<Report, 'operation' | 'errno' | 'device'> & { readonly line: number }) | null =
    null;
  /** A change of a driver that was refused, before a line names the device. */
  #unplaced: { readonly errno: string | null; readonly line: number } | null = null;

  /** Whether the next lines may be about what was said, as of a line. */
  isOpen(line: number): boolean {
    return this.#told.isOpen(line) || this.#requesterAt(line) !== null || this.mayAnswer(line);
  }

  /** Whether a line may answer a command, though it names neither VFIO nor a device. */
  mayAnswer(line: number): boolean {
    return this.#writes.isAsked(line);
  }

  /** Another command follows: what it is refused is refused anew. */
  prompt(): void {
    this.#told.forget();
    this.#requester = null;
    this.#writes.forget();
    this.#recent = null;
    this.#unplaced = null;
  }

  /** Reads the message of a line. Throws `EvidenceError` for one of the kernel that is cut off. */
  read(parts: Unwrapped, line: number): ProgramSaid {
    const text = plain(parts.message);
    const claimant = requesterIn(text);
    if (claimant !== null) this.#requester = { claimant, text: text.slice(0, 512), line };
    const who = writerOf(text, parts);
    const requester = this.#requesterAt(line);
    const around = `${parts.name ?? ''} ${requester?.text ?? ''}`;
    const said = claimsIn(text, requester?.claimant ?? null, around);
    const claims = said.flatMap((claim) => this.#claimed(claim, parts, line));
    this.#writes.take(text, line);
    const refusals = refusalsIn(text, this.#writes.isAsked(line)).flatMap(
      (refusal) => this.#placed(refusal, line) ?? [],
    );
    const reports = refusals.flatMap((refusal): Reported[] => {
      const stamp = stampBefore(text, refusal.at);
      const stamps = stamp === null ? parts.stamps : [...parts.stamps, stamp];
      const telling = tellingOf(refusal, { pid: who.pid, host: parts.host, stamps, line });
      if (this.#isKnown(refusal, telling)) return [];
      return [{ said: { ...refusal.report, ...who }, stamp, telling: lasting(telling) }];
    });
    const quoted = quotedKernel(text).map((one) => ({ said: one, stamp: null, telling: null }));
    const told = [...quoted, ...claims, ...reports];
    return { told, isRepeated: refusals.length + said.length > reports.length + claims.length };
  }

  /** Whether a deed of the kernel is a refusal that a program has told of. */
  hasTold(said: MessageDeed, { stamps }: Unwrapped, line: number): boolean {
    if (said.did !== 'bind-driver' || !('errno' in said.result)) return false;
    const { device, driver, result } = said;
    return this.#byBoth.has({ by: 'kernel', device, driver, errno: result.errno, stamps, line });
  }

  /** The guest that could not start, if it was named just before. */
  #requesterAt(line: number): Requester | null {
    const requester = this.#requester;
    return requester !== null && line - requester.line < 3 ? requester : null;
  }

  /** A refusal, with what the lines around say of a change of a driver. Null: of an unknown device. */
  #placed(refusal: RefusalReport, line: number): RefusalReport | null {
    const { report, attribute } = refusal;
    if (report.operation !== 'set_driver') return refusal;
    const said = { device: report.device ?? undefined, driver: report.driver };
    const { device, driver = null } = this.#writes.completed(said, attribute, line);
    if (device === undefined) {
      this.#unplaced = { errno: report.errno, line };
      return null;
    }
    const before = this.#unplaced;
    const isAnswer = report.errno === null && before !== null && line - before.line <= NEXT;
    const errno = isAnswer ? before.errno : report.errno;
    this.#unplaced = null;
    return { ...refusal, report: { ...report, device, driver, errno } };
  }

  /** Whether a refusal was read before: in a forwarded copy of the line, or in other words. */
  #isKnown({ report, repeats }: RefusalReport, telling: Telling): boolean {
    const { operation, errno, device, cause, driver = null } = report;
    const { stamps, line } = telling;
    const recent = this.#recent;
    this.#recent = { operation, errno, device, line };
    const isSilent = errno === null && cause === null;
    if (recent !== null && line - recent.line < MEMORY) {
      if (recent.errno === errno && repeats.includes(recent.operation)) return true;
      if (isSilent && recent.operation === operation && recent.device === device) return true;
    }
    // Within a line, `refusalsIn` has told equal ones apart.
    if (this.#told.has(telling)) return true;
    if (operation !== 'set_driver' || errno === null || device === null) return false;
    return this.#byBoth.has({ by: 'program', device, driver, errno, stamps, line });
  }

  /** A claim, unless it was read before. */
  #claimed(said: Claimed, { stamps, host }: Unwrapped, line: number): readonly Reported[] {
    const claimant = refusedIn(said);
    const telling = { ...UNNAMED, kind: claimKind(said), claimant, host, stamps, line };
    if (this.#told.has(telling)) return [];
    return [{ said, stamp: null, telling: lasting(telling) }];
  }
}

function tellingOf(
  { report }: RefusalReport,
  at: Pick<Telling, 'pid' | 'host' | 'stamps' | 'line'>,
): Telling {
  const { group, device, cause, driver = null } = report;
  return { kind: refusalKind(report), group, device, cause, driver, ...at };
}

function lasting(telling: Telling): Telling | null {
  return isLasting(telling) ? telling : null;
}

/** A time before the words that it is the time of: the program follows it. */
const moment = new RegExp(
  String.raw`\b${DATE}[T ]${TIME} ?${ZONE}?:? (?=[\w./-]{1,64}(?:\[\d{1,10}\])?: )`,
  'g',
);

function stampBefore(text: string, at: number): Stamp | null {
  const before = text.slice(Math.max(0, at - 600), at + 1);
  const groups = [...before.matchAll(moment)].at(-1)?.groups;
  if (groups === undefined) return null;
  const stamp = zoned(groups);
  checkStamps([stamp]);
  return stamp;
}

const emulator =
  /(?<![\w/.-])(?<name>qemu-system-[\w-]{1,32}|qemu-kvm|kvm)(?:\((?<pid>\d{1,10}):[^)]{0,32}\))?: /;
/** Elsewhere in a message, a pid may be that of whoever is in the way. */
const worker = /^\W?(?:[\w./-]{1,64} ?\(?)?pid[=: ](?<pid>\d{1,10})[)\]:,]/;

/** The process that was refused. For QEMU's messages it is QEMU, even if others forward them. */
function writerOf(text: string, { name, pid }: Unwrapped): Pick<MessageDeed, 'pid' | 'comm'> {
  const isQemu = /^(?:qemu|kvm)/i.test(name ?? '');
  const own = emulator.exec(text)?.groups;
  if (own !== undefined && !isQemu) {
    const { name: program = 'qemu', pid: number } = own;
    return { pid: number === undefined ? null : Number(number), comm: program };
  }
  if (!isQemu && /\bvfio (?:error: )?[\da-f-]{4,36}:[^ ]* /i.test(text)) {
    return { pid: null, comm: 'qemu' };
  }
  if (name !== null) return { pid, comm: name };
  const number = worker.exec(text)?.groups?.['pid'];
  return { pid: number === undefined ? pid : Number(number), comm: null };
}

/** Whether a line has words of a refusal or of a claim. */
export function hasWords(line: string): boolean {
  const text = plain(line.slice(0, LONGEST));
  if (speaksOfRefusals(text) || claimsIn(text).length > 0) return true;
  return refusalsIn(text).length > 0 || quoted(text);
}

function quoted(text: string): boolean {
  try {
    return quotedKernel(text).length > 0;
  } catch {
    return true;
  }
}

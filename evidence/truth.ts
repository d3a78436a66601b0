/**
 * The format `truth`: answers of a real kernel. A topology, then an operation and its answer per line.
 *
 * @module
 */
import { hash } from 'node:crypto';
import * as v from 'valibot';
import { RequestError } from '../events/ledger-error.ts';
import type { Call, Fact, LedgerEvent, Placed } from '../events/vocabulary.ts';
import { FirstMaps } from '../processes/first-maps.ts';
import { ProcessTable, fileOpenedBy, type FileId } from '../processes/process-table.ts';
import type { Outcome } from '../operations/row.ts';
import { callOf, rowOf } from '../operations/table.ts';
import { effectOf } from '../processes/effects.ts';
import { Drivers } from '../scenario/drivers.ts';
import { parseLine, processName } from '../scenario/language.ts';
import { die } from '../scenario/perform.ts';
import { Player } from '../scenario/player.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';
import {
  EvidenceError,
  keysOf,
  parseObject,
  type Importer,
  type ImportOptions,
} from './importer.ts';

const FIRST_PID = 101;

const integer = v.pipe(v.number(), v.safeInteger());
const objectId = v.optional(v.pipe(integer, v.minValue(0)));

const answerSchema = v.object({
  seq: v.string(),
  n: integer,
  p: v.pipe(v.string(), v.regex(/^(P[1-8]|-|bg)$/)),
  op: v.string(),
  rc: v.nullable(integer),
  errno: v.optional(v.pipe(v.string(), v.regex(/^E[A-Z0-9]+$/))),
  driver: v.optional(v.string()),
  pending: v.optional(v.boolean()),
  dead: v.optional(v.boolean()),
  timeout: v.optional(v.boolean()),
  devid: objectId,
  id: objectId,
  pt_id: objectId,
});
type TruthAnswer = v.InferOutput<typeof answerSchema>;

export const truthImporter: Importer = {
  format: 'truth',
  isTolerant: false,
  recognizes: (line) => {
    const keys = keysOf(line);
    return keys.includes('topology') || (keys.includes('seq') && keys.includes('op'));
  },
  read: (options) => new TruthReader(options),
};

class TruthReader {
  unknown = 0;
  readonly preamble = 0;
  readonly #options: ImportOptions;
  readonly #seen = new Descriptors();
  readonly #drivers = new Drivers();
  readonly #maps = new FirstMaps<FileId>();
  #topology: Topology | null;
  #player: Player | null = null;
  #seq: string | null = null;
  /** Whether the kernel has died in this sequence. */
  #isDead = false;
  #recorded: TruthAnswer | null = null;
  #facts: Fact[] = [];
  /** Covers every line so far. Ids follow from it: equal lines give equal ids. */
  #digest = 'truth';

  constructor(options: ImportOptions) {
    this.#options = options;
    this.#topology = options.topology;
  }

  line(text: string): readonly LedgerEvent[] {
    if (text.trim() === '') return [];
    const value = parseObject(text);
    const begins = 'seq' in value && value['seq'] !== this.#seq;
    const events = begins ? this.#finish() : [];
    this.#digest = hash('sha256', `${this.#digest}\n${text}`);
    try {
      if ('topology' in value) this.#topology = parseTopology(value);
      else if ('op' in value) this.#answer(v.parse(answerSchema, value));
      else this.unknown++;
    } catch (error) {
      throw evidenceError(error);
    }
    return events;
  }

  end(): readonly LedgerEvent[] {
    return this.#finish();
  }

  /**
   * The events of the sequence that has ended. Their ids cover the whole sequence, so recordings that
   * differ anywhere in it have different ids from its boot on.
   */
  #finish(): LedgerEvent[] {
    const events = this.#facts.map((fact, index) => {
      const id = hash('sha256', `${this.#digest} ${index}`).slice(0, 24);
      return { ...fact, id, time: null } as LedgerEvent;
    });
    this.#facts = [];
    return events;
  }

  #answer(recorded: TruthAnswer): void {
    const player = this.#boot(recorded.seq);
    const { p, op } = recorded;
    const own = /^P\d$/.test(p);
    const statement = parseLine(own ? `@${p} ${op}` : op);
    if (statement?.kind !== 'operation') throw new EvidenceError(`'${op}' is no operation`);
    if (recorded.rc === null) {
      if (this.#isDead) return;
      // The process did not answer and was killed: what its operation did is unknown.
      this.unknown++;
      if (own) player.lose(processName(p));
      else if (recorded.dead === true) this.#die(player.foresee(statement));
      return;
    }
    this.#recorded = recorded;
    player.play(statement);
  }

  /** A driver change that is not answered any more is one that the kernel died of. */
  #die(call: Call): void {
    if (!('driver' in call) || call.driver === null) return;
    this.#isDead = true;
    const { device } = call;
    const driver = this.#drivers.driverOf(device);
    if (driver !== null) this.#happened({ type: 'driver.unbound', data: { device, driver } });
    die({ happened: (fact) => this.#happened(fact) }, device, call.driver);
  }

  /** The player of a sequence; each sequence is a boot. */
  #boot(seq: string): Player {
    if (this.#topology === null) {
      throw new EvidenceError('no topology: neither in the evidence nor given with --topology');
    }
    this.#player ??= new Player(
      {
        answer: (call) => this.#outcome(call),
        driverOf: (device) => this.#drivers.driverOf(device),
        delaysUnbind: () => this.#recorded?.pending === true,
        change: () => {
          const { change } = this.#drivers;
          return (
            change && { ...change, isBlocked: this.#recorded?.pending === true, isFatal: false }
          );
        },
        isDead: () => false,
        nextNode: (driver) => this.#drivers.nextNode(driver),
        deviceOfNode: (node) => this.#drivers.deviceOfNode(node),
        reopen: (pid, fd) => this.#seen.reopen(pid, fd),
        happened: (fact) => this.#happened(fact),
      },
      this.#topology,
      { profile: this.#options.profile, simulated: false },
      FIRST_PID,
    );
    if (this.#seq !== seq) {
      this.#isDead = false;
      this.#player.boot(seq, this.#topology);
    }
    this.#seq = seq;
    return this.#player;
  }

  #outcome(call: Call): Outcome {
    const { rc, errno, driver, devid, id, pt_id } = this.#recorded ?? { rc: 0 };
    // A refused change that names the driver has passed its first half, the unbind.
    const halfway = 'driver' in call && call.driver === null && driver !== undefined;
    if (rc === -1 && !halfway) {
      if (errno === undefined) throw new EvidenceError('a refusal without an errno');
      return { errno };
    }
    const iommufd = 'fd' in call ? this.#seen.iommufdBehind(call.pid, call.fd) : null;
    const isFirstMap = iommufd !== null && this.#maps.note(call, iommufd);
    return { errno: null, rc: rc ?? 0, id: devid ?? id, hwpt: pt_id, isFirstMap };
  }

  #happened(fact: Fact): void {
    this.#maps.take(fact, (pid, fd) => this.#seen.iommufdBehind(pid, fd));
    this.#seen.take(fact);
    this.#drivers.take(fact);
    this.#facts.push(fact);
  }
}

/** The files behind descriptors, and the calls that open their nodes again. */
class Descriptors {
  readonly #table = new ProcessTable();
  readonly #openings = new Map<string, Call>();
  #position = 0;

  take(fact: Fact): void {
    const event: Placed<Fact> = { ...fact, position: this.#position++ };
    this.#table.take(event);
    const file = fileOpenedBy(event);
    const call = openingOf(fact);
    if (file !== null && call !== null) this.#openings.set(file, call);
  }

  /** The iommufd behind a descriptor; null if it is another file. */
  iommufdBehind(pid: number, fd: number): FileId | null {
    const file = this.#table.file(pid, fd);
    if (file === undefined) return null;
    return this.#openings.get(file)?.operation === 'open_iommufd' ? file : null;
  }

  reopen(pid: number, fd: number): Call | null {
    const call = this.#openings.get(this.#table.file(pid, fd) ?? '');
    return call === undefined ? null : ({ ...call, pid, cloexec: false } as Call);
  }
}

/** The call that opened a VFIO or iommufd node; null for a device from a group, and other files. */
function openingOf(fact: Fact): Call | null {
  const call = callOf(fact)?.call;
  if (call === undefined || effectOf(fact.type).opens === 'path') return null;
  return rowOf(call.operation).request === null ? (call as Call) : null;
}

function evidenceError(error: unknown): unknown {
  if (error instanceof v.ValiError) {
    const [issue] = error.issues;
    return new EvidenceError(`${v.getDotPath(issue) ?? 'answer'}: ${issue.message}`);
  }
  return error instanceof RequestError ? new EvidenceError(error.message) : error;
}

/**
 * The format `bpftrace`: the output of `recorder/vfio.bt`, with or without `-f json`.
 *
 * @module
 */
import { EvidenceError, parseObject } from '../importer.ts';
import type { Clock, Parser, Sighting } from '../sighting.ts';
import { deedIn } from './deeds.ts';
import { recordIn } from './record.ts';

const NONE: readonly Sighting[] = [];

/** No record has more characters. */
const LONGEST = 4096;
const BEGIN = '{"t":';

const ASIDE = /^\s*(?:$|Attach(?:ing|ed) \d+ probes?|@)/;
const LOST = /^Lost (\d+) events?/;
const WRAPPED =
  /^\s*\{\s*"type"\s*:\s*"(?:attached_probes|printf|lost_events|map|value|time|stats|hist)"/;

export function bpftraceParser(): Parser {
  return new BpftraceParser();
}

/** Whether a first line may be output of bpftrace. */
export function looksLikeBpftrace(line: string): boolean {
  return (
    /^\{"t":\d+,"pid":-?\d+,"tid":/.test(line) ||
    /^(?:Attach(?:ing|ed) \d+ probes?|Lost \d+ events?)/.test(line) ||
    WRAPPED.test(line)
  );
}

class BpftraceParser implements Parser {
  readonly showsWholeHost = true;
  #clock: Clock = 'none';
  /** The printed beginning of a record that is not complete yet. */
  #begun = '';

  get clock(): Clock {
    return this.#clock;
  }

  line(text: string): readonly Sighting[] {
    if (text.startsWith(BEGIN)) return this.#print(`${text}\n`);
    if (ASIDE.test(text)) return NONE;
    const lost = LOST.exec(text);
    if (lost !== null) return this.#lose(Number(lost[1]));
    if (this.#begun !== '' && !WRAPPED.test(text)) return this.#print(`${text}\n`);
    const { type, data } = parseObject(text.replace(control, escaped));
    if (type === undefined) throw new EvidenceError('not a line of bpftrace');
    if (type === 'printf' && typeof data === 'string') return this.#print(data);
    if (type !== 'lost_events') return NONE;
    const count = (data as { readonly events?: unknown } | null)?.events;
    return this.#lose(typeof count === 'number' ? count : null);
  }

  showsReleases(): boolean {
    return true;
  }

  end(): readonly Sighting[] {
    return this.#begun === '' ? NONE : this.#lose(null);
  }

  /** Reads printed text, which may be a part of a record, or several records. */
  #print(data: string): readonly Sighting[] {
    // A new record begins: the one before it was cut off.
    const torn = this.#begun !== '' && data.startsWith(BEGIN) ? this.#lose(null) : NONE;
    const printed = this.#begun + data;
    this.#begun = '';
    const sightings = [...torn];
    let from = 0;
    for (let end = printed.indexOf('\n'); end !== -1; end = printed.indexOf('\n', end + 1)) {
      // A name may contain a line feed.
      if (end > from && printed[end - 1] !== '}') continue;
      if (end > from) sightings.push(...this.#record(printed.slice(from, end)));
      from = end + 1;
    }
    const rest = printed.slice(from);
    if (rest.length > LONGEST || (rest !== '' && !mayBegin(rest))) {
      throw new EvidenceError('the printed text is not a record of the probes');
    }
    this.#begun = rest;
    return sightings;
  }

  #record(text: string): readonly Sighting[] {
    const record = recordIn(text);
    this.#clock = 'uptime';
    const deed = deedIn(record);
    if (deed === null) return NONE;
    const { tid, pid, comm, at } = record;
    return [{ ...deed, tid, pid, comm, at }];
  }

  #lose(count: number | null): readonly Sighting[] {
    this.#begun = '';
    return [{ did: 'lose', count, tid: null, pid: null, comm: null, at: null }];
  }
}

function mayBegin(text: string): boolean {
  return text.startsWith(BEGIN) || BEGIN.startsWith(text);
}

/** Control characters, which older versions print unescaped. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001F]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * The answers of a simulation as sentences: a line for each operation.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { isCause } from '../machines/causes.ts';
import { causeWords } from './causes.ts';
import type { Line } from './columns.ts';
import { eventWords, type CommLookup } from './events.ts';
import { positionWords } from './moments.ts';

/** What is said of an answer; `position` if it is recorded. */
export interface SaidAnswer {
  readonly seq: string;
  readonly n: number;
  readonly p: string;
  readonly op: string;
  readonly cause?: string | undefined;
  readonly viable?: boolean | undefined;
  readonly container_set?: boolean | undefined;
  readonly pending?: true | undefined;
  readonly dead?: true | undefined;
  readonly position?: number;
}

/** The names of the processes of a simulation, from the events that start them. */
export class StartedNames implements CommLookup {
  readonly #names = new Map<number, string | null>();

  take({ type, data }: Placed): void {
    if (type === 'process.started') this.#names.set(data.pid, data.comm);
    if (type === 'process.forked') this.#names.set(data.child, data.comm);
  }

  commOf(pid: number): string | null {
    return this.#names.get(pid) ?? null;
  }
}

/** The name of a sequence before its first answer, and a line for an answer with its events. */
export function answerLines(
  answer: SaidAnswer,
  events: readonly Placed[],
  names: CommLookup,
): Line[] {
  const { seq, n, cause, position } = answer;
  const title = n === 0 && seq !== '-' ? [`${seq}:`] : [];
  const said = events.filter((event) => isSaid(event, answer));
  const sentences = said.map((event) => eventWords(event, names));
  const text = sentences.length === 0 ? withoutEvent(answer) : sentences.join('; ');
  const isPlaced = position !== undefined && sentences.length > 0;
  const told = isPlaced ? `${positionWords(position)}: ${text}` : text;
  if (cause === undefined || !isCause(cause)) return [...title, told];
  const refused = said.find(({ type }) => type === 'operation.refused');
  const operation = refused?.type === 'operation.refused' ? refused.data.operation : null;
  const summary = causeWords(cause, operation);
  return [...title, [`${told}; cause: `, { text: cause, tone: 'refusal' }, ` (${summary})`]];
}

/** Not the start of a process that an operation needs, and not what follows from the kernel's death. */
function isSaid({ type }: Placed, { op }: SaidAnswer): boolean {
  if (type === 'gap.noticed') return false;
  const [word = ''] = op.split(/\s/);
  return type !== 'process.started' || word === 'spawn';
}

/** An answer that no event holds: what was only asked, what changed nothing, or what waits. */
function withoutEvent({ p, op, viable, container_set, pending, dead }: SaidAnswer): string {
  const call = /^P\d$/.test(p) ? `${p}: ${op}` : op;
  if (dead === true) return `${call}: no answer, because the kernel has died`;
  if (pending === true) return `${call}: the driver change still waits for an open file`;
  if (viable === undefined) return `${call}: passed`;
  const container = container_set === true ? 'has a container' : 'has no container';
  return `${call}: passed; the group is ${viable ? 'viable' : 'not viable'} and ${container}`;
}

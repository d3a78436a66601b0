/**
 * `--all-hosts`: asks the question of a verb of each host of the log.
 *
 * @module
 */
import {
  hostsIn,
  LedgerError,
  RequestError,
  type Coverage,
  type HostsInLog,
  type Ledger,
} from '../ledger.ts';
import { shownAddress } from '../log/shown-address.ts';
import { coverageWords } from '../words/coverage.ts';
import type { Line } from '../words/columns.ts';
import { exit, failureOf } from './failure.ts';
import { addressOf, type LogValues } from './log-file.ts';
import type { Io } from './verb.ts';

/** The option of verbs that can be asked of all hosts. */
export const allHostsOption = {
  'all-hosts': {
    type: 'boolean',
    help: 'answer for each host of the log; --json prints a list of {"host", "answer"}',
  },
} as const;

export interface AllHostsValues extends LogValues {
  readonly 'all-hosts'?: boolean;
  readonly json?: boolean;
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly now?: boolean;
}

/** The answer about one host. Instead of it an error, as `{"code", "message"}`. */
interface AnswerOfHost {
  readonly host: string;
  readonly answer: unknown;
  readonly coverage: Coverage | null;
  readonly head: string | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The answer for people, or the error that stands in its place, and its exit code. */
interface Asked {
  readonly json: AnswerOfHost;
  readonly lines: readonly Line[];
  readonly code: number;
}

/**
 * Calls `ask` for the log, or with `--all-hosts` for each host of it, one after the other, and prints all
 * answers. Resolves to the worst exit code of the hosts.
 */
export async function askHosts<V extends AllHostsValues>(
  values: V,
  io: Io,
  ask: (values: V, io: Io) => Promise<number>,
): Promise<number> {
  if (values['all-hosts'] !== true) return ask(values, io);
  const other = values.host === undefined ? '--now' : '--host';
  if (values.host !== undefined || values.now === true) {
    throw new RequestError(`--all-hosts cannot be combined with ${other}`);
  }
  const { path } = addressOf(values, io.env);
  const found = await hostsIn(path, { note: (words) => io.say(`vfio-ledger: ${words}`) });
  const log = found.path ?? path;
  // No answer of no host is a yes.
  if (found.hosts.length === 0)
    throw new RequestError(`the log at ${shownAddress(path)} holds no host`);
  const answers: Asked[] = [];
  for (const host of found.hosts) {
    answers.push(await asked({ ...values, log, host }, io, found, ask));
  }
  if (values.json === true) {
    await io.out.printJson([JSON.stringify(answers.map(({ json }) => json))]);
  } else {
    await io.out.print(
      answers.flatMap(({ json, lines }, index): Line[] => [
        ...(index === 0 ? [] : ['']),
        [{ text: `host ${json.host}`, tone: 'heading' }],
        ...lines,
      ]),
    );
  }
  return Math.max(exit.done, ...answers.map(({ code }) => code));
}

/** The answer of one host, whose log is read through `values`. */
async function asked<V extends AllHostsValues & { readonly host: string }>(
  values: V,
  io: Io,
  { unread }: HostsInLog,
  ask: (values: V, io: Io) => Promise<number>,
): Promise<Asked> {
  const { host } = values;
  const kept = keeping(io, values);
  try {
    const fault = unread.get(host);
    if (fault !== undefined) throw fault;
    const code = await ask(values, kept.io);
    const { head } = kept;
    const answer = values.json === true ? (JSON.parse(kept.json) as unknown) : null;
    const coverage = coverageIn(answer) ?? kept.coverage;
    const restsOn = coverage === null ? [] : [coverageWords(coverage), `head ${head}`];
    return { json: { host, answer, coverage, head }, lines: [...kept.lines, ...restsOn], code };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const { message, code } = failureOf(error);
    const told = { code: error.code, message };
    const json = { host, answer: null, coverage: null, head: null, error: told };
    return { json, lines: [message], code };
  }
}

/** The coverage that an answer has itself; null if it has none. */
function coverageIn(answer: unknown): Coverage | null {
  if (typeof answer !== 'object' || answer === null || !('coverage' in answer)) return null;
  return answer.coverage as Coverage;
}

/** Input and output of a verb that keeps what would be printed, and what the answer rests on. */
function keeping(
  io: Io,
  { host, at, from = at, to = at }: AllHostsValues & { readonly host: string },
) {
  const kept = {
    json: '',
    lines: [] as Line[],
    coverage: null as Coverage | null,
    head: null as string | null,
    io: {
      get stdin() {
        return io.stdin;
      },
      env: io.env,
      progress: io.progress,
      say: (...lines: readonly Line[]) =>
        io.say(...lines.map((line) => (typeof line === 'string' ? `${host}: ${line}` : line))),
      out: {
        isTerminal: io.out.isTerminal,
        isGone: false,
        async print(lines: Iterable<Line>) {
          kept.lines.push(...lines);
        },
        async printJson(texts: Iterable<string> | AsyncIterable<string>) {
          for await (const text of texts) kept.json += text;
        },
        write: (pieces: Iterable<string> | Iterable<Uint8Array>) => io.out.write(pieces),
      },
      opened(ledger: Ledger) {
        kept.coverage = ledger.coverage({
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        });
        kept.head = `${ledger.head.position}:${ledger.head.hash}`;
      },
    },
  };
  return kept;
}

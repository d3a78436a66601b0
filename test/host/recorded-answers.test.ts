import { describe, expect, test } from 'vitest';
import { VirtualHost } from '../../host/virtual-host.ts';
import { parseLine } from '../../scenario/language.ts';
import { recording, recordings, type RecordedAnswer } from '../support/truth.ts';

const extras = ['viable', 'container_set', 'driver', 'pending'];
/** Operations whose result is a descriptor; it has to be the kernel's. */
const opens = /^(open_|get_device|dup|send)/;

interface Said {
  readonly rc: number | null;
  readonly errno?: string;
  readonly cause?: string;
}

/** What of an answer has to agree, as text. */
function essence(answer: Said, { op, ...recorded }: RecordedAnswer): string {
  const named = extras.filter((key) => key in recorded);
  const told = answer as unknown as Readonly<Record<string, unknown>>;
  const more = named.map((key) => ` ${key}=${String(told[key])}`).join('');
  if (answer.rc === -1) return `${answer.errno}${more}`;
  return `${opens.test(op) ? `fd ${answer.rc}` : 'ok'}${more}`;
}

describe('the machines answer as the kernel did', () => {
  test.each(recordings())('%s: %s', (profile, name) => {
    const { topology, answers } = recording(profile, name);
    const host = new VirtualHost(topology, profile);
    const wrong: string[] = [];
    let seq = '';
    for (const recorded of answers) {
      if (recorded.seq !== seq) host.boot(recorded.seq);
      seq = recorded.seq;
      const own = /^P\d$/.test(recorded.p);
      const statement = parseLine(own ? `@${recorded.p} ${recorded.op}` : recorded.op);
      if (statement?.kind !== 'operation') throw new Error(`no operation: ${recorded.op}`);
      const { answer } = host.play(statement);
      if (recorded['dead'] === true || recorded['timeout'] === true) continue;
      const [kernel, ours] = [essence(recorded as Said, recorded), essence(answer, recorded)];
      const where = `${seq} #${recorded.n} ${recorded.p} ${recorded.op}`;
      if (kernel !== ours) wrong.push(`${where}: the kernel says ${kernel}, we say ${ours}`);
      if (answer.rc === -1 && answer.cause === undefined) wrong.push(`${where}: no cause`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(host.kernel.contradictions).toEqual([]);
  });
});

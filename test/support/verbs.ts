/**
 * A verb of the program, run in this process: what it prints, and its exit code.
 *
 * @module
 */
import { Readable, Writable } from 'node:stream';
import { failureOf } from '../../cli/failure.ts';
import { outputTo, sayTo } from '../../cli/output.ts';
import type { Io, Verb } from '../../cli/verb.ts';
import { plain, type Paint } from '../../words/tone.ts';

export interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export async function printedBy(
  verb: Verb,
  args: readonly string[],
  paint: Paint = plain,
): Promise<Printed> {
  let out = '';
  let err = '';
  const say = sayTo(
    kept((text) => (err += text)),
    () => {},
  );
  const io: Io = {
    stdin: Readable.from([]),
    out: outputTo(
      kept((text) => (out += text)),
      paint,
      () => {},
    ),
    say,
    progress: { tell: () => {}, clear: () => {} },
    env: { PATH: process.env['PATH'] },
  };
  try {
    const code = await verb.run(args, io);
    return { out, err, code };
  } catch (error) {
    const { code, message, stack = [] } = failureOf(error);
    say(message, ...stack);
    return { out, err, code };
  }
}

/** Keeps what is written, as text: halves of surrogate pairs would become others as bytes. */
function kept(take: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      take(text);
      done();
    },
  });
}

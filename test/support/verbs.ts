/**
 * A verb of the program, run in this process: what it prints, and its exit code.
 *
 * @module
 */
import { Readable } from 'node:stream';
import { failureOf } from '../../cli/failure.ts';
import type { Io, Verb } from '../../cli/verb.ts';

export interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export async function printedBy(verb: Verb, args: readonly string[]): Promise<Printed> {
  let out = '';
  let err = '';
  const io: Io = {
    stdin: Readable.from([]),
    out: {
      print: async (lines, { ending = '\n' } = {}) => {
        for await (const line of lines) out += line + ending;
      },
    },
    paint: (word) => word,
    progress: { tell: () => {}, clear: () => {} },
    stderr: { write: (text: string) => (err += text) } as unknown as NodeJS.WriteStream,
    env: { PATH: process.env['PATH'] },
  };
  try {
    const code = await verb.run(args, io);
    return { out, err, code };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { out, err: `${err}${message}\n`, code };
  }
}

/**
 * What a verb of the program is, and how its arguments are read.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { RequestError } from '../events/ledger-error.ts';
import type { Paint } from '../words/tone.ts';
import { exit } from './failure.ts';
import { helpOn } from './help.ts';
import type { Lines, Output } from './output.ts';
import type { Progress } from './progress.ts';

/** The world around a verb. */
export interface Io {
  readonly stdin: Readable;
  readonly out: Output;
  readonly paint: Paint;
  readonly progress: Progress;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What stands for its value in help. */
  readonly value?: string;
  /** Left out where the option is taken and changes nothing. */
  readonly help?: string;
}

type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Values<O extends OptionSpecs> = {
  readonly [K in keyof O]?: O[K]['type'] extends 'boolean' ? boolean : string;
};

interface Description {
  readonly name: string;
  /** Operands and own options, as in `who SUBJECT [--at WHEN]`. */
  readonly usage: string;
  /** What it answers, in one line. */
  readonly summary: string;
  /** The rest of what there is to know, in lines. */
  readonly details: readonly string[];
  readonly options: OptionSpecs;
  /** Lines that work as they stand, on the log of the first example of all. */
  readonly examples: readonly string[];
}

export interface Verb extends Description {
  /** Resolves to the exit code. */
  run(args: readonly string[], io: Io): Promise<number>;
}

interface Definition<O extends OptionSpecs> extends Description {
  readonly options: O;
  /** How many operands it takes, at least and at most. */
  readonly operands: readonly [least: number, most: number];
  answer(invocation: Invocation<O>, io: Io): Promise<number>;
}

interface Invocation<O extends OptionSpecs> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
}

/** A verb whose arguments are read by its own description, with `--help` besides. */
export function verb<const O extends OptionSpecs>(definition: Definition<O>): Verb {
  const { name, usage, options, operands: bounds } = definition;
  return {
    ...definition,
    async run(args, io) {
      const known: ParseArgsOptionsConfig = { ...options, help: { type: 'boolean', short: 'h' } };
      const parsed = parseArgs({ args: [...args], options: known, allowPositionals: true });
      const { values, positionals } = parsed;
      if (values['help'] === true) {
        await io.out.print(helpOn(definition));
        return exit.done;
      }
      const [least, most] = bounds;
      if (positionals.length < least || positionals.length > most) {
        const fault = positionals.length < least ? 'an operand is missing' : 'too many operands';
        throw new RequestError(`${name}: ${fault}; usage: vfio-ledger ${usage}`);
      }
      return definition.answer({ values: values as Values<O>, operands: positionals }, io);
    },
  };
}

/** Prints an answer: the value itself as JSON where that is asked for, else its text for people. */
export async function show<T>(
  io: Io,
  json: boolean | undefined,
  value: T,
  text: (value: T) => Lines,
): Promise<void> {
  await io.out.print(json === true ? [JSON.stringify(value)] : text(value));
}

/**
 * Defines what a verb is, parses its arguments and prints its answer.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { isRelative } from '../events/instant-words.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { Ledger } from '../ledger.ts';
import type { Line } from '../words/columns.ts';
import { exit } from './failure.ts';
import { helpOn } from './help.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';

/** Input, output and environment of a verb. */
export interface Io {
  readonly stdin: Readable;
  readonly out: Output;
  /** Prints lines on standard error. */
  readonly say: (...lines: readonly Line[]) => void;
  readonly progress: Progress;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of each log that is opened for reading. */
  readonly opened?: (ledger: Ledger) => void;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** Whether it may be given several times. */
  readonly multiple?: true;
  /** The name of its value in help, such as `WHEN`; undefined if it takes none. */
  readonly value?: string;
  /** Undefined hides an option that is accepted and changes nothing. */
  readonly help?: string;
}

type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Values<O extends OptionSpecs> = {
  readonly [K in keyof O]?: O[K]['type'] extends 'boolean'
    ? boolean
    : O[K]['multiple'] extends true
      ? readonly string[]
      : string;
};

interface Description {
  readonly name: string;
  /** Operands and own options, as in `who SUBJECT [--at WHEN]`. */
  readonly usage: string;
  /** What the verb does, in one line without a full stop. */
  readonly summary: string;
  /** The rest of its help, in lines. */
  readonly details: readonly string[];
  readonly options: OptionSpecs;
  /** Command lines that work as printed, after the first example of the program has run. */
  readonly examples: readonly string[];
}

export interface Verb extends Description {
  /** Resolves to the exit code. */
  run(args: readonly string[], io: Io): Promise<number>;
}

interface Definition<O extends OptionSpecs> extends Description {
  readonly options: O;
  /** The smallest and the largest number of operands. */
  readonly operands: readonly [least: number, most: number];
  answer(invocation: Invocation<O>, io: Io): Promise<number>;
}

interface Invocation<O extends OptionSpecs> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
}

/**
 * A verb that parses its arguments by its own description, and takes `--help`. Running it throws
 * `RequestError` if operands are missing or too many.
 */
export function verb<const O extends OptionSpecs>(definition: Definition<O>): Verb {
  const { name, usage, options, operands: bounds } = definition;
  return {
    ...definition,
    async run(args, io) {
      const known: ParseArgsOptionsConfig = { ...options, help: { type: 'boolean', short: 'h' } };
      const { values, positionals } = parsedArguments(args, known);
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

/**
 * Options and operands, as `parseArgs` finds them. A time before now (`-10m`) would be read as options
 * there, so another word stands in its place meanwhile.
 */
function parsedArguments(args: readonly string[], options: ParseArgsOptionsConfig) {
  const plain = args.map((arg) => (isRelative(arg) ? 'now' : arg));
  const config = { args: plain, options, allowPositionals: true, tokens: true } as const;
  const { values, tokens } = parseArgs(config);
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(args[token.index] ?? '');
    const isApart = token.kind === 'option' && token.value !== undefined && !token.inlineValue;
    if (isApart && options[token.name]?.multiple !== true) {
      values[token.name] = args[token.index + 1];
    }
  }
  return { values, positionals };
}

/** Prints an answer: with `json` the value as one JSON line, else its text for people. */
export async function show<T>(
  io: Io,
  json: boolean | undefined,
  value: T,
  text: (value: T) => Iterable<Line>,
): Promise<void> {
  if (json === true) await io.out.printJson([JSON.stringify(value)]);
  else await io.out.print(text(value));
}

/**
 * Parses lines of the scenario language: one operation a line, `#` for comments, `@P2` for another
 * process, `seq NAME` for a fresh host.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { Operation } from '../events/vocabulary.ts';
import { rowOf, rows } from '../operations/table.ts';

/** A parsed line. `text` is the operation as it was written, without its process. */
export type Statement =
  | { readonly kind: 'seq'; readonly name: string }
  | {
      readonly kind: 'operation';
      readonly process: ProcessName;
      readonly operation: Operation;
      readonly operands: readonly string[];
      readonly options: Readonly<Record<string, number>>;
      readonly text: string;
    };
export type OperationStatement = Extract<Statement, { kind: 'operation' }>;

/** `P1` to `P8`. */
export type ProcessName = `P${number}`;

/** Words for the recorder of a real kernel, which are ignored here. */
const passedOver = new Set(['topology', 'flush', 'quit']);

/** Parses a line; null if it is empty or only for a recorder. Throws `RequestError`. */
export function parseLine(line: string): Statement | null {
  const said = line.replace(/[#\r\n].*$/s, '').trim();
  const [, at = 'P1', text = ''] = /^(?:@(\S+)\s*)?(.*)$/s.exec(said) ?? [];
  const [word = '', ...rest] = text.split(/\s+/);
  if (word === '') {
    if (said !== '') throw new RequestError(`no operation after '${said}'`);
    return null;
  }
  const name = processName(at);
  if (passedOver.has(word)) return null;
  if (word === 'seq') return sequence(rest);
  if (!Object.hasOwn(rows, word)) throw new RequestError(`unknown operation '${word}'`);
  const operation = word as Operation;
  return { kind: 'operation', process: name, operation, ...parts(operation, rest), text };
}

/** Checks the name of a process. Throws `RequestError` unless it is one of P1 to P8. */
export function processName(word: string): ProcessName {
  if (!/^P[1-8]$/.test(word)) throw new RequestError(`'${word}' is not a process; use P1 to P8`);
  return word as ProcessName;
}

/** Parses a number in C notation: decimal, 0x… or 0…. Throws `RequestError`. */
export function parseNumber(text: string): number {
  const [, sign = '', digits = ''] =
    /^([+-]?)(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text) ?? [];
  if (digits === '') throw new RequestError(`'${text}' is not a number`);
  const octal = /^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits;
  return Number(octal) * (sign === '-' ? -1 : 1);
}

function sequence(words: readonly string[]): Statement {
  const [name, ...settings] = words;
  const odd = settings.find((word) => !/^batch=\d+$/.test(word));
  if (name === undefined) throw new RequestError('seq: missing name');
  if (odd !== undefined)
    throw new RequestError(`seq: unknown setting '${odd}'; only batch=NUMBER is known`);
  return { kind: 'seq', name };
}

function parts(operation: Operation, words: readonly string[]) {
  const { operands: wanted, options: known } = rowOf(operation).scenario;
  const operands: string[] = [];
  const options: Record<string, number> = {};
  for (const word of words) {
    const [, key, value] = /^([a-z]+)=(.*)$/.exec(word) ?? [];
    if (key === undefined || value === undefined) operands.push(word);
    else if (known.includes(key)) options[key] = parseNumber(value);
    else throw new RequestError(`${operation}: unknown option '${key}'`);
  }
  const missing = wanted.find((name, index) => /\w$/.test(name) && operands[index] === undefined);
  if (missing !== undefined) throw new RequestError(`${operation}: missing operand ${missing}`);
  if (operands.length > wanted.length && !wanted.at(-1)?.endsWith('*')) {
    throw new RequestError(`${operation}: unexpected operand '${operands[wanted.length]}'`);
  }
  checkOperands(operation, operands);
  return { operands, options };
}

/** Checks the operands that are not names. Throws `RequestError`. */
function checkOperands(operation: Operation, operands: readonly string[]): void {
  const wanted = rowOf(operation).scenario.operands;
  for (const [index, name] of wanted.entries()) {
    const word = operands[index];
    if (word === undefined) continue;
    if (name === 'process') processName(word);
    if (/^(n|request|region|type|ms)\??$/.test(name)) parseNumber(word);
    if (name === 'action' && !/^(get|set|clear)$/.test(word)) {
      throw new RequestError(`${operation}: '${word}' is not an action; use get, set or clear`);
    }
    // `set` requires an id.
    if (name === 'action' && word === 'set' && operands[index + 1] === undefined) {
      const missing = wanted[index + 1]?.replace('?', '');
      throw new RequestError(`${operation}: missing operand ${missing}`);
    }
    if (word.startsWith(':')) parseNumber(word.slice(1));
  }
}

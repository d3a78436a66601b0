/**
 * The expressions of `bisect --where`: what is asked of the ownership table.
 *
 *     where       = clauses | conditions
 *     clauses     = conjunction { "or" conjunction }
 *     conjunction = clause { "and" clause }
 *     clause      = scope conditions | { "not" } "(" clauses ")"
 *     scope       = ( "group" | "device" | "file" ) [ NAME ]
 *     conditions  = all { "or" all }
 *     all         = condition { "and" condition }
 *     condition   = "not" condition | "(" conditions ")" | comparison
 *     comparison  = PATH | ( PATH | "count" "(" PATH ")" ) OPERATOR LITERAL
 *     OPERATOR    = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"
 *
 * - A scope says which row its conditions are about, and holds up to the next scope or the closing
 *   parenthesis, `and` and `or` included. In `group 26 owner.kind = iommufd and count(holders) > 1`
 *   both are about group 26; `group 26 viable and group 27 viable` relates two rows. What a scope
 *   holds for is one operand: `group 1 A or B and group 2 C` is `(group 1 A or B) and (group 2 C)`.
 * - Without NAME the clause holds if one row of that kind meets all its conditions. An expression
 *   without any scope is about any group; with one, every condition needs one.
 * - A clause about a row that is not there does not hold, whatever it asks: `group 9 not viable` is
 *   false without a group 9, `not (group 9 viable)` true.
 * - PATH is made of the keys in `../shapes.ts`, `owner.kind`. `holders` in groups and devices is
 *   `owner.holders`. Below null, all is null. Through a list, it is enough that one element passes.
 * - `!=` and `!~` are the negations of `=` and `~`: `holders.comm != qemu` says that none is qemu,
 *   and is true of null and of an empty list. null is neither less nor more than anything.
 * - `~` holds where the value contains the text, in this very case; there are no patterns.
 * - LITERAL is a word, "text" with `\"` and `\\`, or 'text'. It means the same in quotation marks;
 *   only `null` is then the text. It is never a path. Group numbers are compared as numbers.
 * - NAME is a group's number or `gN`; a device's address, name or node; a file id or `file:ID`. A
 *   word is no NAME before an operator, nor where it is a key with which the condition ends; in
 *   quotation marks it always is.
 * - A path alone is a condition where it is true or false: `viable`.
 *
 * @module
 */
import type { DeviceView, FileView, GroupView } from '../shapes.ts';
import { parseSubject } from '../subjects.ts';
import { comparison, operators } from './comparison.ts';
import { countOf, isKey, keyPathOf, type KeyPath, type TableRow, type RowKind } from './keys.ts';
import { named, tokensOf, WhereError, type Token } from './tokens.ts';

/** Which rows a clause looks at: one of that id, or with null any of the kind. */
export interface Scope {
  readonly kind: RowKind;
  /** A group's number, a file id, or whatever a device goes by. */
  readonly id: string | null;
}

/** The rows of one moment; only those are asked for that decide. */
export interface TableRows {
  /** Whether a row is the same object from moment to moment while nothing of it changes. */
  readonly areKept?: true;
  groups(): Iterable<GroupView>;
  group(id: string): GroupView | undefined;
  devices(): Iterable<DeviceView>;
  /** By address, name or node. */
  device(word: string): DeviceView | undefined;
  files(): Iterable<FileView>;
  file(id: string): FileView | undefined;
}

/** A scope with its conditions. */
interface Clause extends Scope {
  /** What the conditions look at, each once. */
  readonly paths: readonly KeyPath[];
  /** Whether a row meets the conditions. */
  readonly meets: (row: TableRow) => boolean;
}

export interface Where {
  readonly text: string;
  /** Every scope once. While none of their rows change, neither does the answer. */
  readonly scopes: readonly Scope[];
  /** As they stand in the text. */
  readonly clauses: readonly Clause[];
  holds(rows: TableRows): boolean;
}

/**
 * Reads an expression of at most 4096 characters with parentheses at most 64 deep. Throws
 * `WhereError`, and nothing else.
 */
export function parseWhere(text: string): Where {
  const parser = new ExpressionParser(tokensOf(text));
  const holds = parser.where();
  return { text, scopes: parser.scopes, clauses: parser.clauses, holds };
}

type Test<T> = (given: T) => boolean;

const DEEPEST = 64;

class ExpressionParser {
  readonly scopes: Scope[] = [];
  readonly clauses: Clause[] = [];
  /** Of the clause that is being read. */
  #paths = new Map<string, KeyPath>();
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  /** The scope whose conditions are being read. */
  #scope: Scope | null = null;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  where(): Test<TableRows> {
    const scoped = this.#tokens.some((_, index) => this.#isScope(index));
    const test = scoped
      ? this.#expression(() => this.#clause())
      : this.#conditions({ kind: 'group', id: null });
    if (this.#token().kind !== 'end') this.#fail(`${this.#named()} where 'and' or 'or' may follow`);
    return test;
  }

  /** `or`, `and`, `not` and parentheses: of clauses about the rows, or of conditions of a row. */
  #expression<T>(single: () => Test<T>): Test<T> {
    return this.#joined('or', () => this.#joined('and', () => this.#unit(single)));
  }

  #joined<T>(word: 'and' | 'or', part: () => Test<T>): Test<T> {
    const first = part();
    const parts = [first];
    while (this.#isWord(this.#at, word) && !this.#isClauseNext(this.#at + 1)) {
      this.#at += 1;
      parts.push(part());
    }
    if (parts.length === 1) return first;
    return word === 'or'
      ? (given) => parts.some((test) => test(given))
      : (given) => parts.every((test) => test(given));
  }

  #unit<T>(single: () => Test<T>): Test<T> {
    let negated = false;
    for (; this.#isWord(this.#at, 'not'); this.#at += 1) negated = !negated;
    const test = this.#token().kind === '(' ? this.#parenthesis(single) : single();
    return negated ? (given) => !test(given) : test;
  }

  #parenthesis<T>(single: () => Test<T>): Test<T> {
    if (this.#depth === DEEPEST) this.#fail(`parentheses are more than ${DEEPEST} deep`);
    this.#depth += 1;
    this.#take('(');
    const test = this.#expression(single);
    if (this.#isWord(this.#at, 'and', 'or')) this.#fail(`')' is missing before the next scope`);
    this.#take(')');
    this.#depth -= 1;
    return test;
  }

  #clause(): Test<TableRows> {
    const { text } = this.#token();
    if (!this.#isScope(this.#at)) {
      const reason = `${this.#named()} where 'group', 'device' or 'file' should say which row`;
      this.#fail(`${reason}; with one of them, every condition needs one`);
    }
    if (this.#isWord(this.#at - 1, 'not')) {
      this.#fail(`'not' before '${text}' wants parentheses: not (${text} …), or ${text} … not (…)`);
    }
    const kind = text as RowKind;
    this.#at += 1;
    const id = this.#isName(kind) ? this.#name(kind) : null;
    return this.#conditions({ kind, id });
  }

  #conditions(scope: Scope): Test<TableRows> {
    const { kind, id } = scope;
    if (!this.scopes.some((known) => known.kind === kind && known.id === id)) {
      this.scopes.push(scope);
    }
    this.#scope = scope;
    this.#paths = new Map();
    const meets = this.#expression(() => this.#condition(kind));
    const meetsKept = oncePerRow(meets);
    this.clauses.push({ ...scope, paths: [...this.#paths.values()], meets });
    this.#scope = null;
    return (rows) => {
      const test = rows.areKept === true ? meetsKept : meets;
      for (const row of rowsOf(rows, scope)) if (test(row)) return true;
      return false;
    };
  }

  #condition(kind: RowKind): Test<TableRow> {
    const counts = this.#isWord(this.#at, 'count') && this.#token(1).kind === '(';
    if (counts) this.#at += 2;
    if (this.#token().kind !== 'word' || this.#isWord(this.#at, 'and', 'or')) {
      this.#fail(`${this.#named()} where a ${counts ? 'list' : 'condition'} should be`);
    }
    if (this.#isScope(this.#at)) {
      this.#fail(`the scope ${this.#named()} stands within another, or before no condition`);
    }
    const token = this.#next();
    const path = counts ? countOf(kind, token) : keyPathOf(kind, token);
    if (counts) this.#take(')');
    this.#paths.set(path.text, path);
    if (this.#token().kind === 'operator') return comparison(path, this.#next(), this.#literal());
    if (path.shape.type === 'boolean') return (row) => path.values(row).includes(true);
    return this.#fail(`'${path.text}' has to be compared: ${operators.join(' ')}`);
  }

  #literal(): Token {
    const { kind } = this.#token();
    const isLiteral = kind === 'quoted' || kind === 'word';
    if (!isLiteral || this.#isWord(this.#at, 'and', 'or', 'not')) {
      this.#fail(`${this.#named()} where a value to compare with should be`);
    }
    return this.#next();
  }

  /** Whether a word says what the conditions are about; before or after an operator it does not. */
  #isScope(index: number): boolean {
    const isNear = [index - 1, index + 1].some((at) => this.#tokens[at]?.kind === 'operator');
    return !isNear && this.#isWord(index, 'group', 'device', 'file');
  }

  /** Whether a scope's conditions are at an end, since what follows begins with the next scope. */
  #isClauseNext(index: number): boolean {
    if (this.#scope === null) return false;
    let at = index;
    while (this.#isWord(at, 'not') || this.#tokens[at]?.kind === '(') at += 1;
    return this.#isScope(at);
  }

  /** Whether a name follows a scope; a word may also be the first path of its conditions. */
  #isName(kind: RowKind): boolean {
    const next = this.#token(1);
    if (this.#token().kind === 'quoted') return true;
    if (this.#token().kind !== 'word' || next.kind === 'operator') return false;
    if (this.#isScope(this.#at) || this.#isWord(this.#at, 'and', 'or', 'not')) return false;
    if (this.#isWord(this.#at, 'count') && next.kind === '(') return false;
    const endsCondition =
      next.kind === 'end' || next.kind === ')' || this.#isWord(this.#at + 1, 'and', 'or');
    return !endsCondition || !isKey(kind, this.#token().text);
  }

  #name(kind: RowKind): string {
    const { text } = this.#token();
    const { kind: means, word } = parseSubject(text);
    if (kind === 'group' && means !== 'group') {
      this.#fail(`${this.#named()} is no group's number, and no condition`);
    }
    if (kind === 'file' && !/^(?:file:)?f\d+$/.test(text)) {
      this.#fail(`${this.#named()} is no file; they are 'f' and a position`);
    }
    this.#at += 1;
    return kind === 'device' && means !== 'device' ? text : word;
  }

  #token(ahead = 0): Token {
    return (this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1)) as Token;
  }

  #next(): Token {
    const token = this.#token();
    this.#at += 1;
    return token;
  }

  #take(kind: '(' | ')'): void {
    if (this.#token().kind !== kind) this.#fail(`${this.#named()} where '${kind}' should be`);
    this.#at += 1;
  }

  #isWord(index: number, ...words: readonly string[]): boolean {
    const token = this.#tokens[index];
    return token?.kind === 'word' && words.includes(token.text);
  }

  #named(): string {
    return named(this.#token());
  }

  #fail(reason: string): never {
    throw new WhereError(this.#token().column, reason);
  }
}

/** What is kept is not asked again. */
function oncePerRow(test: Test<TableRow>): Test<TableRow> {
  const known = new WeakMap<TableRow, boolean>();
  return (row) => {
    let answer = known.get(row);
    if (answer === undefined) {
      answer = test(row);
      known.set(row, answer);
    }
    return answer;
  };
}

/** The rows that a scope is about. */
export function rowsOf(rows: TableRows, { kind, id }: Scope): Iterable<TableRow> {
  if (id === null) {
    return kind === 'group' ? rows.groups() : kind === 'device' ? rows.devices() : rows.files();
  }
  const row = rows[kind](id);
  return row === undefined ? [] : [row];
}

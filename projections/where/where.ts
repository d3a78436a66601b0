/**
 * The parser of `bisect --where`: expressions over the ownership table.
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
 * - A scope says which row its conditions are about. It extends to the next scope or the closing
 *   parenthesis, over `and` and `or`: in `group 26 owner.kind = iommufd and count(holders) > 1` both
 *   conditions are about group 26. `group 26 viable and group 27 viable` relates two rows. A scope
 *   with its conditions is one operand: `group 1 A or B and group 2 C` means
 *   `(group 1 A or B) and (group 2 C)`.
 * - Without NAME the clause holds if one row of that kind meets all its conditions. An expression
 *   without any scope is about any group. With one scope, every condition needs a scope.
 * - A clause about a row that does not exist does not hold. Without a group 9, `group 9 not viable`
 *   is false and `not (group 9 viable)` is true.
 * - PATH consists of keys in `../shapes.ts`: `owner.kind`. `holders` of a group or device is short
 *   for `owner.holders`. A key of null is null. A path through a list passes if one element passes.
 * - `!=` and `!~` negate `=` and `~`: `holders.comm != qemu` means that no holder is qemu, and is
 *   true for null and for an empty list. `<`, `<=`, `>` and `>=` are false for null.
 * - `~` means that the value contains the text. Case matters, and there are no patterns.
 * - LITERAL is a word, "text" with `\"` and `\\`, or 'text'. Quotation marks change nothing, except
 *   that `"null"` is the text. A literal is never a path. Group numbers are compared as numbers.
 * - NAME is a group's number or `gN`; a device's address, name or node; a file id or `file:ID`. A
 *   word before an operator is not a NAME, and neither is a key that ends the condition; a text in
 *   quotation marks always is.
 * - A path to a boolean is a condition by itself: `viable`.
 *
 * @module
 */
import type { FileView } from '../shapes.ts';
import { parseSubject } from '../subject-words.ts';
import { comparison, operators } from './comparison.ts';
import {
  countOf,
  isKey,
  keyPathOf,
  type DeviceRow,
  type GroupRow,
  type KeyPath,
  type TableRow,
  type RowKind,
} from './keys.ts';
import { named, tokensOf, WhereError, type Token } from './tokens.ts';

/** The rows that a clause looks at. */
export interface Scope {
  readonly kind: RowKind;
  /** A group's number, a file id, or a device's address, name or node; null for any row. */
  readonly id: string | null;
}

/** The rows of one moment; a row is asked for only when the answer needs it. */
export interface TableRows {
  /** True if a row stays the same object until it changes. */
  readonly areKept?: true;
  groups(): Iterable<GroupRow>;
  group(id: string): GroupRow | undefined;
  devices(): Iterable<DeviceRow>;
  /** By address, name or node. */
  device(word: string): DeviceRow | undefined;
  files(): Iterable<FileView>;
  file(id: string): FileView | undefined;
}

/** A scope with its conditions. */
interface Clause extends Scope {
  /** The paths in the conditions, each once. */
  readonly paths: readonly KeyPath[];
  /** Whether a row meets the conditions. */
  readonly meets: (row: TableRow) => boolean;
}

export interface Where {
  readonly text: string;
  /** Every scope once. The answer changes only when one of their rows does. */
  readonly scopes: readonly Scope[];
  /** In the order of the text. */
  readonly clauses: readonly Clause[];
  holds(rows: TableRows): boolean;
}

/**
 * Parses an expression of at most 4096 characters, with parentheses at most 64 deep. Throws only
 * `WhereError`.
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
  /** The paths of the clause that is being read. */
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
    if (this.#token().kind !== 'end')
      this.#fail(`expected 'and', 'or' or the end, not ${this.#named()}`);
    return test;
  }

  /** Parses `or`, `and`, `not` and parentheses around clauses, or around conditions. */
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
    if (this.#depth === DEEPEST) this.#fail(`more than ${DEEPEST} nested parentheses`);
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
      const reason = `expected 'group', 'device' or 'file', not ${this.#named()}`;
      this.#fail(`${reason}: if one condition has such a scope, every condition needs one`);
    }
    if (this.#isWord(this.#at - 1, 'not')) {
      this.#fail(`'not' before '${text}' needs parentheses: not (${text} …), or ${text} … not (…)`);
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
      this.#fail(`expected a ${counts ? 'list' : 'condition'}, not ${this.#named()}`);
    }
    if (this.#isScope(this.#at)) {
      this.#fail(`the scope ${this.#named()} is inside another scope, or has no condition`);
    }
    const token = this.#next();
    const path = counts ? countOf(kind, token) : keyPathOf(kind, token);
    if (counts) this.#take(')');
    this.#paths.set(path.text, path);
    if (this.#token().kind === 'operator') return comparison(path, this.#next(), this.#literal());
    if (path.shape.type === 'boolean') return (row) => path.values(row).includes(true);
    return this.#fail(`expected an operator after '${path.text}': ${operators.join(' ')}`);
  }

  #literal(): Token {
    const { kind } = this.#token();
    const isLiteral = kind === 'quoted' || kind === 'word';
    if (!isLiteral || this.#isWord(this.#at, 'and', 'or', 'not')) {
      this.#fail(`expected a value to compare with, not ${this.#named()}`);
    }
    return this.#next();
  }

  /** Whether a word is a scope; next to an operator it is a path or a literal. */
  #isScope(index: number): boolean {
    const isNear = [index - 1, index + 1].some((at) => this.#tokens[at]?.kind === 'operator');
    return !isNear && this.#isWord(index, 'group', 'device', 'file');
  }

  /** Whether the conditions of a scope end here, because the next scope follows. */
  #isClauseNext(index: number): boolean {
    if (this.#scope === null) return false;
    let at = index;
    while (this.#isWord(at, 'not') || this.#tokens[at]?.kind === '(') at += 1;
    return this.#isScope(at);
  }

  /** Whether a name follows a scope; the word may also be the first path of its conditions. */
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
    const {
      kind: means,
      ids: [id],
    } = parseSubject(text);
    if (kind === 'group' && means !== 'group') {
      this.#fail(`expected the number of a group or a condition, not ${this.#named()}`);
    }
    if (kind === 'file' && !/^(?:file:)?f\d+$/.test(text)) {
      this.#fail(`expected a file id ('f' and a position), not ${this.#named()}`);
    }
    this.#at += 1;
    return kind === 'device' && means !== 'device' ? text : id;
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
    if (this.#token().kind !== kind) this.#fail(`expected '${kind}', not ${this.#named()}`);
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

/** A test that asks each row object only once. */
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

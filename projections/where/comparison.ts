/**
 * Comparisons: compile `PATH OPERATOR LITERAL` to a test of a row.
 *
 * @module
 */
import { partsOf, type KeyPath, type TableRow, type Shape } from './keys.ts';
import { named, WhereError, type Token } from './tokens.ts';

const orders = {
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
} as const;
type Order = keyof typeof orders;

/** All operators of comparisons. */
export const operators = ['=', '!=', ...(Object.keys(orders) as Order[]), '~', '!~'];

const fitting: Readonly<Record<Exclude<Shape['type'], 'list'>, readonly string[]>> = {
  text: ['=', '~'],
  words: ['=', '~'],
  number: ['=', ...Object.keys(orders)],
  boolean: ['='],
  parts: ['='],
};

/**
 * A test that passes if at least one value at the path does; with `!=` and `!~`, if none passes `=`
 * or `~`. Throws `WhereError` if the operator or the literal does not fit the values of the path.
 */
export function comparison(
  path: KeyPath,
  operator: Token,
  literal: Token,
): (row: TableRow) => boolean {
  if (!operators.includes(operator.text)) {
    const known = operators.join(' ');
    throw new WhereError(
      operator.column,
      `unknown operator ${named(operator)}; known are ${known}`,
    );
  }
  const negated = operator.text.startsWith('!');
  const passes = valueTest(path, negated ? operator.text.slice(1) : operator.text, {
    operator,
    literal,
  });
  return (row) => path.values(row).some(passes) !== negated;
}

function valueTest(
  path: KeyPath,
  relation: string,
  { operator, literal }: { readonly operator: Token; readonly literal: Token },
): (value: unknown) => boolean {
  const { shape } = path;
  if (shape.type === 'list') throw new WhereError(operator.column, aboutList(path, shape));
  const asked = literal.text;
  const isNull = literal.kind === 'word' && asked === 'null';
  if (!fitting[shape.type].includes(relation) || (isNull && relation !== '=')) {
    const what = isNull ? 'null' : `'${path.text}', which is ${described(shape)}`;
    throw new WhereError(operator.column, `${named(operator)} cannot be used with ${what}`);
  }
  if (isNull) return (value) => value === null;
  if (relation === '~') return (value) => typeof value === 'string' && value.includes(asked);
  if (!isOneOf(shape, asked)) {
    const reason = `'${path.text}' is ${described(shape)}, never ${named(literal)}`;
    throw new WhereError(literal.column, reason);
  }
  if (shape.type === 'boolean') return (value) => value === (asked === 'true');
  if (shape.type !== 'number') return (value) => value === asked;
  const bound = Number(asked);
  if (relation === '=') return (value) => value !== null && Number(value) === bound;
  const order = orders[relation as Order];
  return (value) => value !== null && order(Number(value), bound);
}

/** Whether a value of a shape can ever be the literal. */
function isOneOf(shape: Exclude<Shape, { type: 'list' }>, asked: string): boolean {
  switch (shape.type) {
    case 'text':
      return true;
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(asked);
    case 'boolean':
      return asked === 'true' || asked === 'false';
    case 'words':
      return Object.hasOwn(shape.words, asked);
    case 'parts':
      return false;
  }
}

function described(shape: Exclude<Shape, { type: 'list' }>): string {
  switch (shape.type) {
    case 'text':
      return 'text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'words':
      return `one of ${Object.keys(shape.words).join(', ')}`;
    case 'parts':
      return `${shape.nullable ? 'null or ' : ''}made of ${Object.keys(shape.keys).join(', ')}`;
  }
}

function aboutList({ text }: KeyPath, shape: Shape): string {
  const one = Object.keys(partsOf(shape) ?? {})[0];
  return `'${text}' is a list: compare count(${text}) or a key of its elements, such as ${text}.${one}`;
}

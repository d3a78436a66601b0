/**
 * What answers say in sentences is said in `words/`: the folders below hand over data.
 *
 * @module
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';
import { root } from '../cli/program.ts';

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Where text belongs that stays: errors, also in a block that ends in one, and sources of rules. */
function isElsewhere(node: Node): boolean {
  switch (node.type) {
    case 'ThrowStatement':
      return true;
    case 'BlockStatement':
      return (node['body'] as Node[]).at(-1)?.type === 'ThrowStatement';
    case 'NewExpression':
      return nameOf(node['callee']).endsWith('Error');
    case 'CallExpression':
      return (node['callee'] as Node).type === 'Super' || nameOf(node['callee']) === 'fail';
    case 'Property':
      return nameOf(node['key']) === 'source';
    default:
      return false;
  }
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  return typeof node['name'] === 'string' ? node['name'] : nameOf(node['property']);
}

/** The texts in a program that have two words one after the other. */
function sentencesIn(node: Node): string[] {
  if (isElsewhere(node)) return [];
  const text = node.type === 'TemplateElement' ? (node['value'] as Node)['cooked'] : node['value'];
  if (typeof text === 'string') return /\p{L}[,;:]? \p{L}/u.test(text) ? [text] : [];
  return Object.values(node).flat().filter(isNode).flatMap(sentencesIn);
}

const sentencesOf = (code: string) =>
  sentencesIn(parseAst(code, { lang: 'ts' }) as unknown as Node);

test('a sentence is found unless an error or the source of a rule says it', () => {
  const code = `
    const a = 'the group is open';
    const b = (fd: number) => \`fd \${fd} is held, by nobody\`;
    const c = { source: 'vfio/group.c: the kernel', key: \`group \${a}\` };
    if (a === b) {
      const why = 'there is none';
      throw new RequestError(why);
    }
    class OurError extends Error { constructor() { super('it is ours'); } }
    export const d = () => new TypeError('no such thing');
    this.#fail('a word is missing');
  `;
  expect(sentencesOf(code)).toEqual(['the group is open', ' is held, by nobody']);
});

/** What is wrong with an expression is put together in several places, and thrown in others. */
const inErrors = 'projections/where/';

test.each(['operations', 'processes', 'machines', 'projections', 'host'])(
  '%s/ hands over data, not sentences',
  (folder) => {
    const paths = globSync(`${folder}/**/*.ts`, { cwd: root });
    expect(paths.length).toBeGreaterThan(2);
    const found = paths
      .filter((path) => !path.startsWith(inErrors))
      .flatMap((path) => {
        const sentences = sentencesOf(readFileSync(join(root, path), 'utf8'));
        return sentences.map((sentence) => `${path}: ${sentence}`);
      });
    expect(found).toEqual([]);
  },
);

/**
 * Key paths: which keys of an answer count. They are frozen with the answers, so that a key which is
 * added later changes no golden, and one that goes or changes does.
 *
 * A path is `groups[].owner.kind`. The data of an event go by its type, as each type has keys of its
 * own: `data<device.opened>.pid`, and of a refusal `data<operation.refused bind>.fd`.
 *
 * @module
 */

/** A key and what lies below it; the root is an answer. */
export interface KeyTree {
  readonly below: Map<string, KeyTree>;
}

/** Facts are what programs rely on, words what people read. */
export type Column = 'facts' | 'words';

/** Keys whose text is a sentence. */
const sentences = new Set(['summary', 'detail', 'message', 'notes', 'text']);

export const emptyTree = (): KeyTree => ({ below: new Map() });

/** Adds the keys of a value to a tree. */
export function addKeys(tree: KeyTree, value: unknown): void {
  for (const [segment, child] of childrenOf(value)) {
    let node = tree.below.get(segment);
    if (node === undefined) {
      node = emptyTree();
      tree.below.set(segment, node);
    }
    addKeys(node, child);
  }
}

/** The paths of a tree, in the order of their text. */
export function pathsOf(tree: KeyTree): string[] {
  return [...paths(tree, '')].toSorted();
}

function* paths(tree: KeyTree, prefix: string): Generator<string> {
  for (const [segment, node] of tree.below) {
    const path = segment === '[]' || prefix === '' ? prefix + segment : `${prefix}.${segment}`;
    yield path;
    yield* paths(node, path);
  }
}

/** The tree that some paths make. */
export function treeOf(all: readonly string[]): KeyTree {
  const tree = emptyTree();
  for (const path of all) {
    let node = tree;
    for (const segment of segmentsOf(path)) {
      let child = node.below.get(segment);
      if (child === undefined) {
        child = emptyTree();
        node.below.set(segment, child);
      }
      node = child;
    }
  }
  return tree;
}

/** The segments of a path; a dot within `<…>` is of an event's type. */
function segmentsOf(path: string): string[] {
  return path.match(/\[\]|[^.[\]<]+(?:<[^>]*>)?/g) ?? [];
}

/** What a value says under the paths of a tree, in one column, as text that is equal for equals. */
export function said(value: unknown, tree: KeyTree, column: Column): string {
  return JSON.stringify(projected(value, tree, column, column === 'facts')) ?? '';
}

function projected(value: unknown, tree: KeyTree, column: Column, isWanted: boolean): unknown {
  if (Array.isArray(value)) {
    const element = tree.below.get('[]') ?? emptyTree();
    const all = value.map((each) => projected(each, element, column, isWanted));
    return column === 'words' ? some(all) : all;
  }
  if (typeof value !== 'object' || value === null) return isWanted ? value : undefined;
  const children = new Map(childrenOf(value));
  const found: [string, unknown][] = [];
  for (const segment of [...tree.below.keys()].toSorted()) {
    if (!children.has(segment)) continue;
    const isSentence = sentences.has(segment);
    if (isSentence && column === 'facts') continue;
    const node = tree.below.get(segment) ?? emptyTree();
    const wanted = column === 'facts' || isSentence || isWanted;
    const child = projected(children.get(segment), node, column, wanted);
    if (child !== undefined) found.push([segment, child]);
  }
  return column === 'words' ? some(found) : found;
}

/** Nothing at all where there is none of it: most answers have no words. */
function some(all: readonly unknown[]): readonly unknown[] | undefined {
  const there = all.filter((each) => each !== undefined);
  return there.length === 0 ? undefined : there;
}

function childrenOf(value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.map((each): [string, unknown] => ['[]', each]);
  if (typeof value !== 'object' || value === null) return [];
  const { type, data } = value as { readonly type?: unknown; readonly data?: unknown };
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .map(([key, child]) =>
      key === 'data' && typeof type === 'string'
        ? [`data<${kindOf(type, data)}>`, child]
        : [key, child],
    );
}

function kindOf(type: string, data: unknown): string {
  const { operation } = data as { readonly operation?: unknown };
  return type === 'operation.refused' ? `${type} ${String(operation)}` : type;
}

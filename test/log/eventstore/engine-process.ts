/**
 * Engines in a process of their own.
 *
 * @module
 */
import type { Engine } from '../../../log/engine.ts';
import { openEventStoreEngine } from '../../../log/eventstore-engine.ts';
import type { Row } from '../../../log/row.ts';
import { serve } from './remote.ts';

const engines: Engine[] = [];
const iterators: { rows: AsyncIterator<readonly Row[]>; ending: AbortController }[] = [];

serve({
  async open(address: string) {
    const engine = await openEventStoreEngine(address);
    const { name, notes } = engine;
    return { id: engines.push(engine) - 1, name, notes };
  },
  async call(id: number, method: 'append' | 'head' | 'streams' | 'close', args: never[]) {
    const engine = engines[id]!;
    const called = engine[method] as (...given: readonly unknown[]) => Promise<unknown>;
    return called.apply(engine, args);
  },
  iterate(id: number, method: 'read' | 'follow', stream: string, from: number) {
    const engine = engines[id]!;
    const ending = new AbortController();
    const rows =
      method === 'read' ? engine.read(stream, from) : engine.follow(stream, from, ending.signal);
    return iterators.push({ rows: rows[Symbol.asyncIterator](), ending }) - 1;
  },
  async next(id: number) {
    const { done, value } = await iterators[id]!.rows.next();
    return { done, value: value as readonly Row[] | undefined };
  },
  abort(id: number) {
    iterators[id]!.ending.abort();
  },
  async leave(id: number) {
    await iterators[id]!.rows.return?.();
  },
});

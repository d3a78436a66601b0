/**
 * Engines that fail as servers and networks do: answers that are lost, appends that arrive late,
 * connections that break, limits.
 *
 * @module
 */
import { AppendTooLargeError, type Engine, LostAnswerError } from '../../log/engine.ts';
import { StoreUnavailableError } from '../../log/store.ts';

/** An engine that takes at most this many bytes of data in an append. */
export function limited(engine: Engine, limit: number): Engine {
  return {
    ...engine,
    async append(stream, expected, rows) {
      const bytes = rows.reduce((sum, [, , , , , data]) => sum + Buffer.byteLength(data), 0);
      if (bytes > limit) throw new AppendTooLargeError(engine.name, bytes, limit);
      return engine.append(stream, expected, rows);
    },
  };
}

/**
 * What happens to an append: it is `made`; the request is lost and so no answer comes (`unsent`); the
 * answer is lost (`unanswered`); it arrives after the next append (`late`); or the server `refuses`.
 */
export type Fate = 'made' | 'unsent' | 'unanswered' | 'late' | 'refuses';

export const fates: readonly Fate[] = ['made', 'unsent', 'unanswered', 'late', 'refuses'];

/** An engine whose appends meet these fates, one after the other, and after them are made. */
export function fated(engine: Engine, given: readonly Fate[]): Engine {
  const coming = [...given];
  let late: (() => Promise<unknown>) | null = null;
  return {
    ...engine,
    async append(stream, expected, rows) {
      const fate = coming.shift() ?? 'made';
      const arriving = late;
      late = null;
      const append = async () => engine.append(stream, expected, rows);
      try {
        if (fate === 'refuses') throw new StoreUnavailableError(`${engine.name} is not there`);
        if (fate === 'unsent') throw new LostAnswerError(engine.name);
        if (fate === 'late') {
          late = append;
          throw new LostAnswerError(engine.name);
        }
        const result = await append();
        if (fate === 'unanswered') throw new LostAnswerError(engine.name);
        return result;
      } finally {
        // A conflict of an append that comes late is nobody's answer.
        await arriving?.().catch(() => {});
      }
    },
  };
}

/** An engine whose connection breaks after this many batches, in each of its next reads. */
export function breaking(engine: Engine, batches: readonly number[]): Engine {
  const coming = [...batches];
  return {
    ...engine,
    async *read(stream, from) {
      let left = coming.shift() ?? Infinity;
      for await (const rows of engine.read(stream, from)) {
        if (left-- === 0) throw new StoreUnavailableError(`${engine.name} has gone`);
        yield rows;
      }
    },
  };
}

/**
 * The format `events`, the ledger's own export: an event per line, ascending, and an end marker.
 *
 * @module
 */
import { decode, DecodeError, NewerSchemaError } from '../events/codec.ts';
import { EvidenceError, keysOf, parseObject, type Importer } from './importer.ts';

export const eventsImporter: Importer = {
  format: 'events',
  isTolerant: false,
  recognizes: (line) => {
    const keys = keysOf(line);
    return (keys.includes('type') && keys.includes('id')) || keys.includes('end');
  },
  read: () => {
    let count = 0;
    let last: number | null = null;
    let time: string | null = null;
    let ended = false;
    return {
      unknown: 0,
      preamble: 0,
      line(text) {
        if (text.trim() === '') return [];
        if (ended) throw new EvidenceError('there is more after the end marker');
        const value = parseObject(text);
        if ('end' in value) {
          const marker = JSON.stringify(value['end']);
          if ((value['end'] as { events?: unknown } | null)?.events !== count) {
            throw new EvidenceError(`the end marker ${marker} does not count the ${count} events`);
          }
          ended = true;
          return [];
        }
        const { position } = value;
        if (typeof position !== 'number' || (last !== null && position !== last + 1)) {
          throw new EvidenceError(`position ${String(position)} does not follow ${String(last)}`);
        }
        last = position;
        count++;
        const event = decodeLine(value);
        time = event.time ?? time;
        // An event of evidence got its time when it was imported; one of a listing has none.
        return [event.data.evidence === undefined ? { ...event, time } : event];
      },
      end() {
        if (!ended) throw new EvidenceError('it breaks off: the end marker is missing');
        return [];
      },
    };
  },
};

function decodeLine(value: unknown) {
  try {
    return decode(value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const code = error instanceof NewerSchemaError ? error.code : 'bad-evidence';
    throw new EvidenceError(error.message, code);
  }
}

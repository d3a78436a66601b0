/**
 * The hash chain: each event's hash covers the event and the hash before it, so that nothing in a
 * stream can be changed, dropped or moved without every later hash being another.
 *
 * A log file is checked with no more than sqlite3 and sha256sum. The hash at position 7 is
 *
 *     sqlite3 LOG "SELECT format('%s'||char(10)||'%d'||char(10)||'%s'||char(10)||'%s'||char(10)||
 *       '%d'||char(10)||'%s'||char(10)||'%s', p.hash, e.position, e.time, e.id, e.schema, e.type,
 *       e.data) FROM events e JOIN events p ON p.stream = e.stream AND p.position = e.position - 1
 *       WHERE e.stream = 'HOST' AND e.position = 7" | head -c -1 | sha256sum
 *
 * and at position 0 the same with 64 zeros in the place of `p.hash`.
 *
 * @module
 */
import { hash } from 'node:crypto';

/**
 * Lowercase hex SHA-256 over the UTF-8 text of the arguments, a line feed between one and the next;
 * no time is no text. `data` is the JSON text as it is stored, to the byte.
 */
export function hashOf(
  previous: string,
  position: number,
  time: string | null,
  id: string,
  schema: number,
  type: string,
  data: string,
): string {
  return hash(
    'sha256',
    `${previous}\n${position}\n${time ?? ''}\n${id}\n${schema}\n${type}\n${data}`,
  );
}

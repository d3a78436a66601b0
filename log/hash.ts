/**
 * The hash chain: each event's hash covers the event and the hash before it, and the first of a
 * stream the name of the stream, so that nothing in a stream can be changed, dropped or moved without
 * every later hash being another. FORMAT.md shows how a stranger checks it.
 *
 * @module
 */
import { hash } from 'node:crypto';

/** Lowercase hex SHA-256 of a text in UTF-8. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/** The hash before the first event of a stream: lowercase hex SHA-256 of its name. */
export function genesisOf(stream: string): string {
  return sha256(stream);
}

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

/** Over the head of a stream that stands in a table of its own, where no event follows it yet. */
export function digestOf(stream: string, position: number, head: string): string {
  return sha256(`${stream}\n${position}\n${head}`);
}

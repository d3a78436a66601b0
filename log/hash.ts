/**
 * The hash chain of a stream. The hash of an event covers the event and the hash before it; the first
 * one covers the name of the stream. To change, drop or move an event would change every later
 * hash. FORMAT.md shows how to check the chain without this code.
 *
 * @module
 */

/** An import would read all of what the module exports, and so load Web Crypto. */
const { hash } = process.getBuiltinModule('node:crypto');

/** Lowercase hex SHA-256 of a text in UTF-8. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/** The hash before the first event of a stream: lowercase hex SHA-256 of its name. */
export function genesisOf(stream: string): string {
  return sha256(stream);
}

/**
 * The hash of an event: lowercase hex SHA-256 over the UTF-8 text of the arguments, joined by line
 * feeds. A null time is an empty line. `data` is the JSON text exactly as it is stored.
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

/** The digest of a head in the tables `anchors` and `seal`: no event's hash covers these rows. */
export function digestOf(stream: string, position: number, head: string): string {
  return sha256(`${stream}\n${position}\n${head}`);
}

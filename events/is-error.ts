/**
 * Tells errors from other values that were thrown.
 *
 * @module
 */

/**
 * Whether a value is an error, of whichever realm: Jest gives a test file a realm of its own, and the
 * errors of Node's modules are not of that one.
 */
export function isError(thrown: unknown): thrown is Error {
  return Object.prototype.toString.call(thrown) === '[object Error]';
}

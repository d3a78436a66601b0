/**
 * `INSPECT`, the key under which `util.inspect` of Node looks for how an object prints itself.
 *
 * @module
 */

export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * Passes each question of a class through `TimeIndex.ask`, so that none of them fails because of an
 * index that makes no sense.
 *
 * @module
 */
import type { Timeline } from './timeline.ts';

/**
 * Wraps the methods and getters of a class, not those of the classes that it extends. `timelineOf`
 * gives the timeline of the object that is asked.
 */
export function askThrough<Q extends object>(
  questions: { readonly prototype: Q },
  timelineOf: (asked: Q) => Pick<Timeline, 'index'>,
): void {
  const { prototype } = questions;
  const properties = Object.getOwnPropertyDescriptors<object>(prototype);
  for (const [name, property] of Object.entries<PropertyDescriptor>(properties)) {
    const kind = property.get === undefined ? 'value' : 'get';
    const question: unknown = property[kind];
    if (name === 'constructor' || typeof question !== 'function') continue;
    const asked = function (this: Q, ...given: unknown[]): unknown {
      const { index } = timelineOf(this);
      return index.ask((): unknown => Reflect.apply(question, this, given));
    };
    Object.defineProperty(prototype, name, { ...property, [kind]: asked });
  }
}

/**
 * What is said of logs that were shipped.
 *
 * @module
 */

/** How far a shipment is. */
export function shippingWords(arrived: number, all: number): string {
  const share = all === 0 ? 100 : Math.floor((arrived * 100) / all);
  return `${arrived} of ${all} events are there, ${share} %`;
}

/** What was shipped, and where it is now. */
export function shippedWords(events: number, from: string, to: string): string {
  if (events === 0) return `${to} has all events of ${from} already`;
  return `${events} ${events === 1 ? 'event' : 'events'} shipped from ${from} to ${to}`;
}

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

/** That events which are recorded do not arrive now. */
export function notShippingWords(to: string, reason: string): string {
  return `nothing arrives at ${to} now, and it is tried again: ${reason}`;
}

/** That a recording ended before all of it was shipped. */
export function notShippedWords(to: string, reason: string): string {
  return `not all events were shipped to ${to}, push ships the rest: ${reason}`;
}

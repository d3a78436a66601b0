/**
 * Plays the events of a history that has been changed, and skips those that are no longer possible.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import { callOf, isCollectedBy } from '../../operations/table.ts';
import type { LiveHost } from '../../machines/live-host.ts';

/**
 * Plays an event on a host if the event is possible there. A refused attempt has no effect, but for
 * a wait that collects a driver change.
 */
export function takeIfPossible(host: LiveHost, event: Placed<Fact>): void {
  if (event.type === 'operation.refused') {
    if (isCollectedBy(event.data)) host.take(event);
    return;
  }
  const called = callOf(event);
  if (called !== null) {
    // It has passed, so it may have avoided a check that a new call would fail.
    if (host.objection(called.call) === null) host.take(event);
    return;
  }
  const { position } = event;
  if (event.type === 'driver.unbind-blocked') {
    const { device, driver, next } = event.data;
    // On a host that is assumed, a file that was not recorded may keep the device open.
    if (host.delaysUnbind(device) || host.isAssumed) return host.take(event);
    // Nothing keeps the device any more: the unbind would not have waited.
    host.take({ type: 'driver.unbound', data: { device, driver }, position });
    if (next === null) return;
    // Its next driver was not seen to bind, so every check counts.
    if (host.objection({ operation: 'set_driver', device, driver: next }) !== null) return;
    const bound = { device, driver: next, cdev: host.nextCdev(next) };
    host.take({ type: 'driver.bound', data: bound, position });
    return;
  }
  if (event.type === 'driver.bound') {
    const { device, driver } = event.data;
    if (host.objection({ operation: 'set_driver', device, driver })?.errno === 'EBUSY') return;
    if (host.device(device)?.driver !== null) return;
  }
  host.take(event);
}

/**
 * A past that went otherwise: events as far as they could have happened.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import { callOf } from '../operations/table.ts';
import type { Kernel } from '../machines/kernel.ts';

/** Has the host take an event, unless it could not have happened on it. */
export function takeIfPossible(kernel: Kernel, event: Placed<Fact>): void {
  if (event.type === 'operation.refused') return;
  const called = callOf(event);
  if (called !== null) {
    if (kernel.judge(called.call) === null) kernel.take(event);
    return;
  }
  const { position } = event;
  if (event.type === 'driver.unbind-blocked') {
    const { device, driver, next } = event.data;
    const held = (kernel.device(device)?.record.files ?? 0) > 0;
    if (held) return kernel.take(event);
    // Nothing holds it back any more: it would have gone through at once.
    kernel.take({ type: 'driver.unbound', data: { device, driver }, position });
    if (next === null) return;
    takeIfPossible(kernel, {
      type: 'driver.bound',
      data: { device, driver: next, cdev: kernel.nextCdev(next) },
      position,
    });
    return;
  }
  if (event.type === 'driver.bound') {
    const { device, driver } = event.data;
    if (kernel.judge({ operation: 'set_driver', device, driver })?.errno === 'EBUSY') return;
    if (kernel.device(device)?.driver !== null) return;
  }
  kernel.take(event);
}

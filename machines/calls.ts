/**
 * From an event back to the call that it records.
 *
 * @module
 */
import type { Attempt, Fact } from '../events/vocabulary.ts';
import type { Outcome } from './question.ts';

/** The call that succeeded when the event was recorded, and what came out of it. */
export interface Called {
  readonly call: Attempt;
  readonly outcome: Outcome;
}

/**
 * The call behind an event that machines take; null for events of processes and of the host, which
 * nobody is asked about, and for refusals, which change nothing.
 */
export function callOf(event: Fact): Called | null {
  switch (event.type) {
    case 'device.opened':
      return { call: { operation: 'open_cdev', ...event.data }, outcome: {} };
    case 'group.opened':
      return { call: { operation: 'open_group', ...event.data }, outcome: {} };
    case 'iommufd.opened':
      return { call: { operation: 'open_iommufd', ...event.data }, outcome: {} };
    case 'container.opened':
      return { call: { operation: 'open_container', ...event.data }, outcome: {} };
    case 'path.opened':
      return { call: { operation: 'open_path', ...event.data }, outcome: {} };
    case 'container.set':
      return { call: { operation: 'set_container', ...event.data }, outcome: {} };
    case 'container.unset':
      return { call: { operation: 'unset_container', ...event.data }, outcome: {} };
    case 'iommu.set':
      return { call: { operation: 'set_iommu', ...event.data }, outcome: {} };
    case 'device.obtained':
      return { call: { operation: 'get_device', ...event.data }, outcome: {} };
    case 'device.bound':
      return {
        call: { operation: 'bind', ...event.data },
        outcome: { id: event.data.id ?? undefined },
      };
    case 'device.attached':
      return {
        call: { operation: 'attach', ...event.data },
        outcome: { hwpt: event.data.hwpt ?? undefined },
      };
    case 'device.detached':
      return { call: { operation: 'detach', ...event.data }, outcome: {} };
    case 'device.reset':
      return { call: { operation: 'reset', ...event.data }, outcome: {} };
    case 'device.hot-reset':
      return { call: { operation: 'hot_reset', ...event.data }, outcome: {} };
    case 'ioas.allocated':
      return {
        call: { operation: 'alloc_ioas', ...event.data },
        outcome: { id: event.data.id ?? undefined },
      };
    case 'hwpt.allocated':
      return {
        call: { operation: 'alloc_hwpt', ...event.data },
        outcome: { id: event.data.id ?? undefined },
      };
    case 'object.destroyed':
      return { call: { operation: 'destroy', ...event.data }, outcome: {} };
    case 'compat-ioas.set':
      return { call: { operation: 'compat_ioas', action: 'set', ...event.data }, outcome: {} };
    case 'compat-ioas.cleared':
      return {
        call: { operation: 'compat_ioas', action: 'clear', ioas: -1, ...event.data },
        outcome: {},
      };
    default:
      return null;
  }
}

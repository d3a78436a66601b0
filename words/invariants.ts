/**
 * Invariants and their violations, in sentences without a full stop.
 *
 * @module
 */
import type { InvariantName, Violation } from '../projections/audit/invariants.ts';

interface Words<N extends InvariantName> {
  /** What it says. */
  readonly summary: string;
  /** How it is violated in a group. */
  readonly violation: (by: Violation<N>['by'], group: string) => string;
}

const words: { readonly [N in InvariantName]: Words<N> } = {
  'one-context-per-group': {
    summary: 'all that owns a group at a time is one context: one iommufd, or one container',
    violation: ({ owners }, group) => `group ${group} is claimed by ${owners.join(' and ')}`,
  },
  'no-user-owner-beside-kernel-driver': {
    summary: 'user space owns no group in which a kernel driver does DMA',
    violation: ({ owner, driver }, group) =>
      `group ${group} is claimed by ${owner} while ${driver} does DMA in it`,
  },
  'no-group-file-beside-bound-cdev': {
    summary: 'while a device of a group is bound through its cdev, no file of the group is open',
    violation: ({ open, bound }, group) =>
      `group ${group} is open as ${open.join(', ')} while ${bound.join(', ')} is bound`,
  },
  'one-open-file-per-group': {
    summary: 'a group has one open file at a time',
    violation: ({ open }, group) => `group ${group} is open as ${open.join(', ')}`,
  },
  'one-bound-file-per-device': {
    summary: 'a device that is bound through its cdev is open through that one file alone',
    violation: ({ device, open }) => `device ${device} is open through ${open.join(', ')}`,
  },
  'container-device-keeps-group-open': {
    summary: 'while a device that was got through a container is open, so is the file of its group',
    violation: ({ open }, group) => `${open} is open, and no file of group ${group} is`,
  },
  'release-ends-ownership': {
    summary: 'who owns a group has a file that is alive; with its last release the ownership ends',
    violation: ({ owner }, group) =>
      `group ${group} is owned by ${owner}, which nobody keeps alive`,
  },
  'owner-is-claimed': {
    summary: 'the owner that the machines name is the one whose files are there, and nobody else',
    violation: ({ owner, claimed }, group) =>
      `group ${group} is owned by ${owner ?? 'nobody'}, claimed by ${claimed.join(' and ') || 'nobody'}`,
  },
};

/** What an invariant says. */
export function invariantWords(name: InvariantName): string {
  return words[name].summary;
}

/** How an invariant is violated: `group 26 is open as f9, f12`. */
export function violationWords<N extends InvariantName>(found: Violation<N>): string {
  return words[found.invariant].violation(found.by, found.group);
}

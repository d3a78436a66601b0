/**
 * A sentence for each invariant and each violation, without a full stop.
 *
 * @module
 */
import type { InvariantName, Violation } from '../projections/audit/invariants.ts';

interface Words<N extends InvariantName> {
  /** The invariant. */
  readonly summary: string;
  /** How it is violated in a group, by the files and drivers that the violation names. */
  readonly violation: (by: Violation<N>['by'], group: string) => string;
}

const words: { readonly [N in InvariantName]: Words<N> } = {
  'one-context-per-group': {
    summary: 'a group has at most one owner at a time: one iommufd or one container',
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
    summary: 'a group has at most one open file at a time',
    violation: ({ open }, group) => `group ${group} is open as ${open.join(', ')}`,
  },
  'one-bound-file-per-device': {
    summary: 'a device that is bound through its cdev is open through that file only',
    violation: ({ device, open }) => `device ${device} is open through ${open.join(', ')}`,
  },
  'container-device-keeps-group-open': {
    summary:
      'while a device obtained through a container is open, the file of its group is open, too',
    violation: ({ open }, group) => `${open} is open, and no file of group ${group} is`,
  },
  'release-ends-ownership': {
    summary: 'the owner of a group is a file that is alive; its release ends the ownership',
    violation: ({ owner }, group) =>
      `group ${group} is owned by ${owner}, which nothing keeps alive`,
  },
  'owner-is-claimed': {
    summary: 'open files claim exactly the owner that the machines name',
    violation: ({ owner, claimed }, group) =>
      `group ${group} is owned by ${owner ?? 'nobody'}, claimed by ${claimed.join(' and ') || 'nobody'}`,
  },
};

/** The sentence of an invariant. */
export function invariantWords(name: InvariantName): string {
  return words[name].summary;
}

/** How an invariant is violated: `group 26 is open as f9, f12`. */
export function violationWords<N extends InvariantName>(found: Violation<N>): string {
  return words[found.invariant].violation(found.by, found.group);
}

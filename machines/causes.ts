/**
 * The causes of refusals, by name. The names are stable: scripts and tests are written against them.
 * `words/causes.ts` says each in a sentence.
 *
 * @module
 */

const causes = [
  'already-attached',
  'bad-descriptor',
  'cdev-bound-in-group',
  'container-already-set',
  'container-empty',
  'container-in-use',
  'device-leaving',
  'device-open-elsewhere',
  'driver-change-pending',
  'file-already-bound',
  'group-already-open',
  'group-dead',
  'group-file-open',
  'group-not-viable',
  'group-pinned-by-device-file',
  'iommu-already-set',
  'malformed-argument',
  'mapper-gone',
  'needs-cap-sys-rawio',
  'no-compat-ioas',
  'no-container',
  'no-driver-change',
  'no-iommu-driver',
  'no-such-device',
  'no-such-node',
  'no-such-object',
  'not-an-iommufd',
  'not-bound-yet',
  'not-ownership',
  'object-in-use',
  'opened-through-group',
  'owned-by-container',
  'owned-by-kernel-driver',
  'owned-by-other-iommufd',
  'owned-by-user',
  'process-exists',
  'reset-not-owned',
  'sibling-attached-elsewhere',
  'unsupported',
  'wrong-file-kind',
] as const;

/** Why a call was refused, as the rules explain it: the check that failed names it. */
export type Cause = (typeof causes)[number];

const known: ReadonlySet<string> = new Set(causes);

/** Whether a text is the name of a cause. */
export function isCause(name: string): name is Cause {
  return known.has(name);
}

/** `unknown` is for evidence that the rules do not explain; the rules themselves never say it. */
export type ObservedCause = Cause | 'unknown';

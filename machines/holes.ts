/**
 * Attempts of which the evidence does not show every argument, and what they may have been.
 *
 * A trace without the memory of the traced process shows that a BIND was asked for, and not with which
 * iommufd. What passed is taken with the argument left open; what was refused is put to the rules with
 * each argument that it may have had, and explained where all that agree with the errno agree.
 *
 * @module
 */
import type { Attempt, Call, CallOf, Operation } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { Question } from './check.ts';
import type { OpenFile } from './host.ts';
import { contextOf } from './attachment-question.ts';
import { questionOf, type Directory } from './question.ts';
import { NAMELESS, STRANGER, UNNAMED, UNSHOWN } from './unshown.ts';

/** A descriptor that the kernel would look up. */
const SOME_FD = 1023;
/** In the place of the range of a mapping: any page. */
const RANGE = { iova: 0, size: 4096 };

/** To have no driver is an argument; the ids that come out are none. */
const mayBeNull = new Set(['driver', 'id', 'hwpt']);

/** Whether the evidence shows everything that was asked with. */
export function isComplete(attempt: Attempt): attempt is Call {
  const shown = attempt as Readonly<Record<string, unknown>>;
  for (const key in shown) if (shown[key] === null && !mayBeNull.has(key)) return false;
  return true;
}

/** The attempt as a call, with what is not shown left open. */
export function completed<O extends Operation>(attempt: Extract<Attempt, { operation: O }>) {
  // Most of them by far; every event comes through here.
  if (isComplete(attempt)) return attempt as CallOf<O>;
  const filled = Object.entries(attempt).map(([key, value]) => [
    key,
    mayBeNull.has(key) ? value : (value ?? opened(key, attempt)),
  ]);
  return Object.fromEntries(filled) as CallOf<O>;
}

function opened(key: string, { operation }: Attempt): unknown {
  if (key === 'device' && operation === 'get_device') return UNNAMED;
  if (key === 'groups') return [];
  if (key === 'action') return 'get';
  return key === 'iova' || key === 'size' ? RANGE[key] : UNSHOWN;
}

/** The questions that an attempt may have put, one for each kind of argument that it may have had. */
export function hypotheses(host: Directory, attempt: Attempt): Question[] {
  const call = completed(attempt);
  const own = questionOf(host, call);
  switch (call.operation) {
    case 'bind': {
      const { group } = own;
      const isShown = attempt.operation === 'bind' && attempt.iommufd !== null;
      if (isShown && group?.record.owner !== NAMELESS) return [own];
      const owner = group?.state === 'iommufd' ? host.file(group.record.owner ?? '') : undefined;
      const contexts = [...(owner === undefined ? [] : [owner]), ...anybody(host)];
      return contexts.map((argument) => {
        return questionOf(host, { ...call, iommufd: SOME_FD }, { argument });
      });
    }
    case 'set_container': {
      // A descriptor that was shown, and that nobody saw opened: of another file, or of none.
      const isShown = attempt.operation === 'set_container' && attempt.container !== null;
      if (isShown && own.argument !== undefined) return [own];
      const files = isShown ? [someFile(), undefined] : anybody(host);
      return files.map((argument) => {
        return questionOf(host, { ...call, container: SOME_FD }, { argument });
      });
    }
    case 'get_device': {
      const members = own.group?.devices.values() ?? [];
      const names = [...[...members].map(({ device }) => device), ''];
      return [own, ...names.map((device) => questionOf(host, { ...call, device }))];
    }
    case 'attach': {
      const context = own.device && contextOf(host, own.device);
      const ids = [...(context?.record.objects.keys() ?? []), UNSHOWN];
      return ids.map((pt) => questionOf(host, { ...call, pt }));
    }
    case 'alloc_hwpt': {
      const ids = [...(own.iommufd?.record.objects.keys() ?? []), UNSHOWN];
      return ids.flatMap((pt) => ids.map((device) => questionOf(host, { ...call, pt, device })));
    }
    case 'destroy': {
      const ids = [...(own.iommufd?.record.objects.keys() ?? []), UNSHOWN];
      return ids.map((object) => questionOf(host, { ...call, object }));
    }
    case 'set_iommu':
      return [1, 3, UNSHOWN].map((iommu) => questionOf(host, { ...call, iommu }));
    default:
      return [own];
  }
}

/** A file of each kind that an argument may have stood for, none of them open, and no file at all. */
function anybody(host: Directory): (OpenFile | undefined)[] {
  const pins = { id: STRANGER, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  return [
    { kind: 'iommufd', ...pins, ...host.fresh('iommufd') },
    { kind: 'container', ...pins, ...host.fresh('container') },
    someFile(),
    undefined,
  ];
}

/** A file that has nothing to do with VFIO. */
function someFile(): OpenFile {
  return { kind: 'other', id: STRANGER, pins: new Set(), pinnedBy: new Set(), path: '' };
}

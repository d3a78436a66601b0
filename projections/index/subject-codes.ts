/**
 * The codes of subjects in a segment: those of its dictionaries, and of a file the position of its open.
 *
 * @module
 */
import { positionOf } from '../../processes/process-table.ts';
import type { SubjectKey, SubjectKind } from '../subjects.ts';
import type { Codes } from './codes.ts';

/** The code of a subject that an event of the segment concerns; a subject without a code gets one. */
export function codeOfSubject(
  kind: SubjectKind,
  id: string | number,
  { groups, devices, numbers }: Codes,
): number {
  switch (kind) {
    case 'group':
      return groups.codeOf(String(id));
    case 'device':
      return devices.codeOf(String(id));
    case 'file':
      return positionOf(String(id));
    case 'process':
      return numbers.codeOf(Number(id));
  }
}

/** Kind and code of a subject; null if no event of the segment can concern it. */
export function findSubject(
  key: SubjectKey,
  { groups, devices, numbers }: Codes,
): readonly [SubjectKind, number] | null {
  const space = key.indexOf(' ');
  const kind = key.slice(0, space) as SubjectKind;
  const id = key.slice(space + 1);
  const code = codeIn(kind);
  return code === undefined ? null : [kind, code];

  function codeIn(of: SubjectKind): number | undefined {
    switch (of) {
      case 'group':
        return groups.find(id);
      case 'device':
        return devices.find(id);
      case 'file':
        return /^f(0|[1-9]\d*)$/.test(id) ? positionOf(id) : undefined;
      case 'process':
        return String(Number(id)) === id ? numbers.find(Number(id)) : undefined;
    }
  }
}

/**
 * Mappers: the processes whose address spaces an IOAS has noted, and the check that asks for them.
 *
 * A map into an IOAS without a page table only notes the address space of its process. The pages are
 * pinned when the first page table is filled, which fails if that address space is gone by then.
 *
 * @module
 */
import type { PlainCheck, Question } from '../check.ts';
import { canFill, hasMapper, type IommufdEvent, type IommufdRecord } from '../iommufd.ts';

/**
 * What an iommufd notes of a map by a process; null if it has noted the address space already, or if
 * it is not known into which IOAS the process maps.
 */
export function noted(
  record: IommufdRecord,
  ioas: number | null,
  pid: number,
): Extract<IommufdEvent, { type: 'mapper.noted' }> | null {
  if (ioas === null || record.objects.get(ioas)?.kind !== 'ioas') return null;
  return hasMapper(record, ioas, pid) ? null : { type: 'mapper.noted', ioas, pid };
}

/** Whether a map goes into an iommufd that was open before the evidence begins: its IOASes are unknown. */
export const ofFoundIommufd = ({ question }: { readonly question: Question }): boolean =>
  question.iommufd?.isFound === true;

/**
 * The page table can be filled: the address spaces of all mappers are there, or the pages are pinned.
 * An unmap is no event, so a call that passed may have met an IOAS without any map.
 */
export const mappersThere: PlainCheck = {
  since: 'linux-6.12',
  name: 'mappers-there',
  asks: 'call',
  holds: ({ iommufd, events }) => {
    if (iommufd === undefined) return true;
    const ioas = ioasIn(events.iommufd, iommufd.record);
    return ioas === null || canFill(iommufd.record, ioas);
  },
  avoidable: true,
  errno: 'EFAULT',
  cause: 'mapper-gone',
  source: 'iommu/iommufd/pages.c:pfn_reader_user_pin',
};

/** The IOAS that a call needs a page table of; null if it needs none. */
function ioasIn(told: Question['events']['iommufd'], { objects }: IommufdRecord): number | null {
  if (told?.type === 'hwpt.allocated') return told.ioas;
  if (told?.type === 'pasid.attached') {
    return objects.get(told.hwpt)?.kind === 'ioas' ? told.hwpt : null;
  }
  return told !== undefined && 'attachment' in told ? told.attachment.ioas : null;
}

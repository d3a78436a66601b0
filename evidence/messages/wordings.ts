/**
 * The wordings of refusals in messages of programs, and the operation that each of them means: calls
 * that the kernel refused, and conclusions that a program came to itself.
 *
 * @module
 */
import type { Report } from '../sighting.ts';
import { BDF, DEVICE, NODE } from './names.ts';

export type ReportedOperation = Report['operation'];

export interface Wording {
  /** Null: the node in the message decides. */
  readonly operation: ReportedOperation | null;
  readonly pattern: RegExp;
  /**
   * The cause that the program found by a check of its own, without a call of the kernel. If left
   * out, an errno must follow the words.
   */
  readonly concluded?: string;
  /** The errno must follow the words at once. */
  readonly near?: boolean;
  /** The words are not specific: the line must also mention VFIO. */
  readonly vague?: boolean;
  /** The words may repeat a refusal that was reported just before. */
  readonly again?: boolean;
}

const words = (pattern: string) => new RegExp(pattern, 'gi');
const exactly = (pattern: string) => new RegExp(pattern, 'g');

const FAILED = String.raw`(?:failed to|could ?n[o']t|cannot|can't|unable to|error)`;

/** All wordings that a line is searched for. */
export const wordings: readonly Wording[] = [
  // The errno comes before the node: Python and libuv.
  {
    operation: null,
    pattern: exactly(String.raw`\[Errno (?<number>\d{1,3})\] [^:'"]{1,60}: ['"](?<node>${NODE})`),
  },
  {
    operation: null,
    pattern: exactly(String.raw`\b(?<name>E[A-Z]{3,10}): [^'"]{1,60}\bopen ['"](?<node>${NODE})`),
  },
  { operation: null, pattern: words(String.raw`\bopen(?:ing)?\b[^;\n]{0,80}?(?<node>${NODE})`) },
  { operation: null, pattern: exactly(String.raw`(?<!\bl?stat )(?<node>${NODE})`), near: true },
  { operation: 'open_group', pattern: exactly(String.raw`\bOpenGroup\b`) },
  {
    operation: 'open_container',
    pattern: words(`${FAILED} open (?:the )?vfio container\\b|\\bOpenContainer\\b`),
  },
  {
    operation: 'set_container',
    pattern: words(String.raw`\bgroup (?:(?<group>\d{1,7}) )?is not viable\b|\bGroupViable\b`),
    concluded: 'owned-by-kernel-driver',
  },
  {
    operation: 'set_container',
    pattern: words(
      `${FAILED} set (?:group )?container\\b(?!'s)|` +
        `${FAILED} add (?:the )?(?:vfio )?group (?:in)?to (?:the )?(?:vfio )?container|` +
        String.raw`\blink group (?<group>\d{1,7}) to container|` +
        String.raw`\bVFIO_GROUP_SET_CONTAINER\b|\bGroupSetContainer\b`,
    ),
    vague: true,
  },
  {
    operation: 'set_iommu',
    pattern: words(
      `${FAILED} set (?:vfio )?iommu(?: type)?\\b|` +
        `${FAILED} set container's IOMMU driver type|` +
        String.raw`\bset IOMMU type \d{1,4} \([^)]{0,40}\) failed|` +
        String.raw`\bVFIO_SET_IOMMU\b|\bContainerSetIOMMU\b`,
    ),
  },
  {
    operation: 'get_device',
    pattern: words(
      `error getting device (?:(?<device>${DEVICE}) )?from group (?<group>\\d{1,7})|` +
        `${FAILED} get (?:vfio )?device(?: fd)?\\b(?! info|'s)|` +
        String.raw`\bVFIO_GROUP_GET_DEVICE_FD\b|\bGroupGetDeviceFD\b`,
    ),
    vague: true,
  },
  {
    operation: 'bind',
    pattern: words(
      String.raw`error bind device fd=-?\d{1,7} to iommufd=-?\d{1,7}|` +
        `${FAILED} bind [^:;\\n]{0,60}iommufd\\b|` +
        String.raw`\bVFIO_DEVICE_BIND_IOMMUFD\b|\bVfioDeviceBindIommufd\b`,
    ),
  },
  {
    operation: 'attach',
    pattern: words(
      `error attach (?<device>${DEVICE}) \\(\\d{1,7}\\) to id=\\d{1,10}|` +
        `${FAILED} associate the vfio device with an IOAS[^:\\n]{0,40}|` +
        String.raw`\bVFIO_DEVICE_ATTACH_IOMMUFD_PT\b|\bVfioDeviceAttachIommufdPt\b`,
    ),
  },
  {
    operation: 'attach',
    pattern: words(String.raw`\bgroup (?<group>\d{1,7}) used in multiple address spaces`),
    concluded: 'sibling-attached-elsewhere',
  },
  {
    operation: 'map_dma',
    pattern: words(
      String.raw`\bVFIO_(?:IOMMU_)?MAP_DMA\b|\bcannot set up DMA remapping\b|\bIommuDmaMap\b|` +
        `${FAILED} add guest memory map into iommu table`,
    ),
  },
  {
    operation: 'map_dma',
    pattern: words(
      String.raw`\bvfio_(?:container_)?dma_map\([^)]{0,200}\)|\bDMA remapping failed\b`,
    ),
    again: true,
  },
  {
    operation: 'hot_reset',
    pattern: words(
      `cannot reset device (?<device>${DEVICE}), depends on ` +
        `(?:group (?<ofGroup>\\d{1,7})|device (?<ofDevice>${BDF})) which is not owned`,
    ),
    concluded: 'reset-not-owned',
  },
  {
    operation: 'hot_reset',
    pattern: words(`cannot reset device (?<device>${DEVICE}), no available reset mechanism`),
    concluded: 'not-ownership',
  },
  { operation: 'hot_reset', pattern: exactly(String.raw`\bVFIO_DEVICE_PCI_HOT_RESET\b`) },
  { operation: 'reset', pattern: exactly(String.raw`\bVFIO_DEVICE_RESET\b`) },
  {
    operation: 'set_driver',
    pattern: words(
      `bind failed for (?<device>${BDF}) - Cannot bind to driver (?<driver>[\\w-]{1,64})|` +
        `${FAILED} bind (?:PCI )?device '?(?<device2>${BDF})'? to ` +
        String.raw`(?:driver )?'?(?<driver2>[\w-]{1,64})|` +
        String.raw`\/sys\/bus\/pci\/drivers\/(?<driver3>[\w-]{1,64})\/bind\b`,
    ),
  },
];

/**
 * A filter before all readers of messages: a line without these words says nothing to any of them.
 *
 * @module
 */

/**
 * VFIO and the IOMMU, a PCI address, and the words of messages that have none of these: of the kernel's
 * boot, of audit records, of managers and of programs. A law of the tests holds it to all wordings.
 */
const words = new RegExp(
  [
    'vfio',
    'iommu',
    String.raw`:[\da-f]{2}:[01][\da-f]\.[0-7](?!\d)`,
    'linux version ',
    'virt=',
    'dma remapping',
    'not viable',
    'multiple address spaces',
    'groupviable',
    'opengroup',
    'opencontainer',
    'groupsetcontainer',
    'groupgetdevice',
    'failed to (?:start|attach) ',
    '/proc/\\d',
    '/sys/bus/pci',
  ].join('|'),
  'i',
);

/** Whether a line names VFIO or iommufd. */
export function mentionsVfio(line: string): boolean {
  return /vfio|iommufd|\/dev\/iommu\b/i.test(line);
}

/** Whether a line may say something of VFIO. */
export function concerns(line: string): boolean {
  return words.test(line);
}

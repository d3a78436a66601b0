/**
 * A filter before all readers of messages: a line without these words says nothing to any of them.
 *
 * @module
 */
import { marks } from './wordings.ts';

/** VFIO and the IOMMU, and a PCI address. */
const words = new RegExp(
  ['vfio', 'iommu', String.raw`:[\da-f]{2}:[01][\da-f]\.[0-7](?!\d)`].join('|'),
  'i',
);

/**
 * Words of messages that have none of these, as they are spelled: of the kernel's boot, of audit records,
 * of managers, and those of the table of wordings. A law of the tests holds the two to all wordings.
 */
const others = new RegExp(
  [
    ...marks,
    'Linux version ',
    'blocked for more than',
    'virt=',
    'Group[SG]et',
    'ailed to (?:start|attach) ',
    'pci_[\\da-f]{4}_',
    '/proc/\\d',
    '/sys/bus/(?:pci|mdev)',
    'in use(?: by|:) ',
    // A row of a group, whose devices a script prints behind their numbers.
    String.raw`\[[\da-f]{4}:[\da-f]{4}\]\s+(?:\[R\]\s+)?[\da-f]{2}:[01][\da-f]\.[0-7]`,
    // A device that a manager names, and libvirt's names of devices.
    String.raw`ice ['"]?[\da-f]{2}:[01][\da-f]\.[0-7]`,
    'iated device',
    String.raw`v_[\da-f]{8}_`,
  ].join('|'),
);

/** Whether a line names VFIO or iommufd. */
export function mentionsVfio(line: string): boolean {
  return /vfio|iommufd|\/dev\/iommu\b/i.test(line);
}

/** Words of lines that say nothing themselves, but what the lines that follow are about. */
const introductions = new RegExp(
  [
    // A row of lspci.
    String.raw`^\W{0,16}[\da-f]{2}:[01][\da-f]\.[0-7] `,
    String.raw`\bSlot:\s`,
    '[#$] (?:sudo )?(?:virsh|qm|lxc|incus|xl|lspci|driverctl) ',
    '^(?:sudo )?(?:lspci|driverctl) ',
    // Who asks for a device.
    '(?:ailed|nable|annot|rror|ould not)(?: to)? (?:start|creat|boot|resum|restor)',
    '(?:tart|tarting|esume|esuming|ackup of) VM ',
    ':qm[a-z]{1,16}:',
    String.raw`\binstance: [\da-f]{8}-`,
  ].join('|'),
);

/** Whether a line may say what the lines that follow are about. */
export function introduces(line: string): boolean {
  return introductions.test(line);
}

/** A process in the output of `lsof -F`: what it has open stands in the lines that follow. */
const listedProcess = /^p\d{1,10}(?:\0|\r?$)/m;

/** Whether a line of a block may say something of VFIO, or begin an entry of several lines. */
export function blockConcerns(block: string): boolean {
  return (
    concerns(block) ||
    block.includes('{\n') ||
    block.includes('{\r') ||
    block.includes('\n__') ||
    block.includes('[s=')
  );
}

/** Whether a line may say something of VFIO. */
export function concerns(line: string): boolean {
  return words.test(line) || others.test(line) || listedProcess.test(line);
}

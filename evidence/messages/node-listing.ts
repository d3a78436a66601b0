/**
 * Listings of /dev/vfio by `ls -l`: which groups and devices have a node, and so a VFIO driver. They do
 * not show who has a node open.
 *
 * @module
 */
import { NODE, kindOfNode } from './names.ts';

/** The node of a group, by its number (`noiommu-0` is another name for it), or of a device: `vfio3`. */
export interface ListedNode {
  readonly kind: 'group' | 'cdev';
  readonly name: string;
}

const DIRECTORY = String.raw`(?<directory>\/dev\/vfio(?:\/devices)?)\/?`;
/** `ls -l /dev/vfio` of one directory, and the header of one of several. */
const command = new RegExp(String.raw`(?:^|[#$%] |\bsudo )ls(?: -\S+)* ['"]?${DIRECTORY}['"]?\s*$`);
const header = new RegExp(`^\\s*${DIRECTORY}:\\s*$`);
/** A row of `ls -l`: of a node, or of what else a directory has. */
const row = /^\s*(?:(?<type>[bcdlps-])[rwxsStT-]{9}[.+@]?\s|total \d)/;
const entry = new RegExp(
  String.raw`\s(?<device>\d{1,7}, *\d{1,8})\s.*\s['"]?(?<path>${NODE}|(?:noiommu-)?(?:vfio)?\d{1,7})['"]?\s*$`,
);

/** Reads the lines of such a listing, in order. */
export class NodeListing {
  /** The directory whose rows follow. */
  #directory: string | null = null;

  /** Whether the lines that follow may be rows. */
  get isOpen(): boolean {
    return this.#directory !== null;
  }

  /** The node that a line shows; null if it shows none. */
  line(text: string): ListedNode | null {
    const { type } = row.exec(text)?.groups ?? {};
    if (!row.test(text)) {
      const found = command.exec(text) ?? header.exec(text);
      this.#directory = found?.groups?.['directory'] ?? null;
      return null;
    }
    const path = type === 'c' ? entry.exec(text)?.groups?.['path'] : undefined;
    if (path === undefined) return null;
    if (path.startsWith('/')) return nodeAt(path);
    return this.#directory === null ? null : nodeAt(`${this.#directory}/${path}`);
  }
}

function nodeAt(path: string): ListedNode | null {
  const { kind, group = null, device = null } = kindOfNode(path) ?? {};
  if (kind === 'group' && group !== null) return { kind, name: group };
  if (kind === 'device' && device !== null && /^vfio\d+$/.test(device)) {
    return { kind: 'cdev', name: device };
  }
  return null;
}

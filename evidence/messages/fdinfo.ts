/**
 * The format `fdinfo`: listings of open files by /proc, ls, lsof and fuser, and of nodes by ls. They show
 * a state, not a history.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Deed, Parser, Sighting } from '../sighting.ts';
import { unwrapped } from '../wrappers/unwrap.ts';
import { LsofFields, type ListedFile } from './lsof-fields.ts';
import { DEVICE, kindOfNode, LONGEST, NODE } from './names.ts';
import { NodeListing } from './node-listing.ts';

type Find = Extract<Deed, { did: 'find' }>;
type HoldingProcess = Pick<Sighting, 'pid' | 'comm'>;

const NOBODY: HoldingProcess = { pid: null, comm: null };

const syspath = /^(?<before>.*?)\bvfio-device-syspath:\s*(?<path>.*)$/;
const infoPath = /\/proc\/(?<pid>\d{1,10})\/(?:task\/\d{1,10}\/)?fdinfo\/(?<fd>\d{1,9})\b/;
/** A shell prompt. Lines after it are not about the file before it. */
const prompt = /^\s*(?:\[[^\]]{0,128}\]|[\w.@:~/-]{0,128})[#$%] /;
const listed = /\/proc\/(?<pid>\d{1,10})\/(?:task\/\d{1,10}\/)?fd\b\/?(?!\/?\d)/;

const TARGET = String.raw`(?<target>${NODE}|anon_inode:\[?vfio-device\]?|\[vfio-device\])`;
/** A line of `ls -l` in a directory of descriptors. */
const lsRow = /^\s*(?:[dl][rwxst-]{9}|total \d)/;
/** The link of a descriptor: in a row of `ls -l`, or with its whole path. */
const link = new RegExp(
  String.raw`(?:^\s*l[rwx-]{9}.*\s|/proc/(?<pid>\d{1,10})/(?:task/\d{1,10}/)?fd/)` +
    String.raw`(?<fd>\d{1,9}) -> ['"]?${TARGET}['"]?(?: \(deleted\))?\s*$`,
);
const lsof = new RegExp(
  String.raw`^(?<comm>\S{1,64}) +(?<pid>\d{1,10}) +(?:\S{1,64} +)?(?<fd>\d{1,9})` +
    String.raw`[rwu -]?[A-Za-z]? +(?:CHR|a_inode|unknown|0000) .{0,128}?${TARGET}(?: \(deleted\))?\s*$`,
);
const fuser = /^(?<path>\/\S{1,256}):(?<rest>\s.*|)$/;
const fuserRow = /^\s*\S{1,64}\s+(?<pid>\d{1,10})\s+[cefFrm.]{4,6}\s+(?<comm>.{1,64}?)\s*$/;
const fuserPids = /^\s*\d{1,10}[cefFrm.]{0,6}(?:\s+\d{1,10}[cefFrm.]{0,6})*\s*$/;
const fuserFirst = /^(?:\s*|\s+\S{1,64}\s+\d{1,10}\s+[cefFrm.]{4,6}\s.*)$/;
const shownTarget = new RegExp(String.raw`^${TARGET}(?: \(deleted\))?$`);
/** The name of a file in the output of `lsof -F`. */
const listedName = new RegExp(String.raw`^n${TARGET}(?: \(deleted\))?$`);
const holds = new RegExp(String.raw`\bPID (?<pid>\d{1,10}) holds ${TARGET}\s*$`, 'i');

export function looksLikeFdinfo(line: string): boolean {
  const text = unwrapped(line.slice(0, 4096)).message;
  if (/\bvfio-device-syspath:/.test(text) || infoPath.test(text) || link.test(text)) return true;
  if (lsof.test(text) || holds.test(text) || listedName.test(text)) return true;
  const nodes = new NodeListing();
  if (nodes.line(text) !== null || nodes.isOpen) return true;
  const { path = '', rest = '' } = fuser.exec(text)?.groups ?? {};
  return kindOfNode(path) !== null && (fuserFirst.test(rest) || fuserPids.test(rest));
}

export function fdinfoParser(): Parser {
  const listing = new Listing();
  return {
    clock: 'none',
    readsListings: true,
    line: (text) => listing.line(text.slice(0, LONGEST)),
    end: () => [],
  };
}

/** Whether a line is a shell prompt: what follows is about something else. */
export function isPrompt(text: string): boolean {
  return prompt.test(text);
}

/** Reads the lines of listings, in order. */
export class Listing {
  /** The tool that printed the last line that shows a file. */
  tool: 'lsof' | 'fuser' | 'ls' | 'ls -l' | 'fdinfo' = 'fdinfo';
  /** The descriptor that the last header named. */
  #file: { readonly pid: number; readonly fd: number } | null = null;
  /** Whether a `pos:` line was read for the file: another one begins another file. */
  #begun = false;
  /** The process whose descriptors `ls` lists in the rows that follow. */
  #lister: number | null = null;
  /** The node that the rows of fuser that follow are about. */
  #shown: Find | null = null;
  /** The number of commands so far. */
  #listing = 0;
  readonly #fields = new LsofFields();
  readonly #nodes = new NodeListing();

  /** Whether the lines that follow may be about what a header named. */
  get isOpen(): boolean {
    const hasHeader = this.#file !== null || this.#lister !== null || this.#shown !== null;
    return hasHeader || this.#fields.isOpen || this.#nodes.isOpen;
  }

  /** The open files, or the node, that a line shows. Throws `EvidenceError` for a device that is no path of /sys. */
  line(text: string): readonly Sighting[] {
    // Another command may show another time.
    if (prompt.test(text)) this.#listing++;
    const listing = this.#listing;
    return this.#shownBy(text).map((one) => (one.did === 'find' ? { ...one, listing } : one));
  }

  #shownBy(text: string): readonly Sighting[] {
    const device = syspath.exec(text)?.groups;
    if (device !== undefined) return this.#described(device['before'] ?? '', device['path'] ?? '');
    // Rows follow their header at once: any other line ends the list.
    if (!lsRow.test(text)) this.#lister = null;
    if (!fuserRow.test(text)) this.#shown = null;
    const fields = this.#fields.line(text);
    if (fields !== null) return this.#inFields(fields);
    const node = this.#nodes.line(text);
    if (node !== null) {
      this.tool = 'ls -l';
      return [{ did: 'list-node', ...node, ...NOBODY, tid: null, at: null, isListed: true }];
    }
    return this.#linked(text) ?? this.#listedBy(text) ?? this.#headed(text);
  }

  #inFields(files: readonly ListedFile[]): readonly Sighting[] {
    this.tool = 'lsof';
    return files.flatMap(({ pid, comm, fd, name }) => {
      const target = shownTarget.exec(name)?.groups?.['target'];
      return target === undefined ? [] : opened({ fd: String(fd), target }, { pid, comm });
    });
  }

  #described(before: string, path: string): readonly Sighting[] {
    const own = descriptorIn(before);
    if (own === null && prompt.test(before)) return this.#headed(before);
    const { pid, fd } = own ?? this.#file ?? { pid: null, fd: null };
    const found = { did: 'find', fd, kind: 'device', device: deviceAt(path), group: null } as const;
    this.tool = 'fdinfo';
    return [sighting(found, { pid, comm: null })];
  }

  #linked(text: string): readonly Sighting[] | null {
    const found = link.exec(text)?.groups;
    if (found === undefined) return null;
    const of = found['pid'];
    const pid = of === undefined ? this.#lister : Number(of);
    if (pid === null) return [];
    this.tool = 'ls';
    return opened(found, { pid, comm: null });
  }

  #listedBy(text: string): readonly Sighting[] | null {
    const row = (lsof.exec(text) ?? holds.exec(text))?.groups;
    if (row !== undefined) {
      this.tool = 'lsof';
      return opened(row, { pid: Number(row['pid']), comm: withoutEscapes(row['comm'] ?? null) });
    }
    const { path, rest = '' } = fuser.exec(text)?.groups ?? {};
    if (path !== undefined && !infoPath.test(path) && !listed.test(path)) {
      const isRow = fuserFirst.test(rest) || fuserPids.test(rest);
      this.#shown = isRow ? kindOfNode(path) : null;
      this.tool = 'fuser';
      return this.#shown === null ? null : users(this.#shown, rest);
    }
    if (this.#shown === null || !fuserRow.test(text)) return null;
    this.tool = 'fuser';
    return users(this.#shown, text);
  }

  #headed(text: string): readonly Sighting[] {
    const own = descriptorIn(text);
    if (own !== null || prompt.test(text)) {
      this.#file = own;
      this.#begun = false;
    }
    const pid = listed.exec(text)?.groups?.['pid'];
    if (pid !== undefined) this.#lister = Number(pid);
    if (/^\s*pos:\s/.test(text)) {
      if (this.#begun) this.#file = null;
      this.#begun = true;
    }
    return [];
  }
}

function descriptorIn(text: string): { readonly pid: number; readonly fd: number } | null {
  const { pid, fd } = infoPath.exec(text)?.groups ?? {};
  return pid === undefined ? null : { pid: Number(pid), fd: Number(fd) };
}

const deviceName = new RegExp(`^${DEVICE}$`);

/** The device at the end of a path of /sys. Throws `EvidenceError`. */
function deviceAt(path: string): string {
  const name = path.trimEnd().split('/').at(-1) ?? '';
  if (!path.startsWith('/sys/') || name === '') {
    throw new EvidenceError(`not the path of a device in /sys: '${path.slice(0, 80)}'`);
  }
  return deviceName.test(name) ? name.toLowerCase() : name;
}

/** A name as the kernel has it: lsof prints its blanks as `\x20`. */
function withoutEscapes(comm: string | null): string | null {
  return comm?.replace(/\\x20/g, ' ') ?? null;
}

function opened(
  { fd, target = '' }: Readonly<Record<string, string | undefined>>,
  holder: HoldingProcess,
): readonly Sighting[] {
  const number = fd === undefined ? null : Number(fd);
  const node = kindOfNode(target);
  const found: Find = node ?? {
    did: 'find',
    fd: null,
    kind: 'device',
    device: null,
    group: null,
  };
  return [sighting({ ...found, fd: number }, holder)];
}

/** The processes in a line of fuser: pids with access letters, or a row with a name. */
function users(found: Find, text: string): readonly Sighting[] {
  const row = fuserRow.exec(text)?.groups;
  if (row !== undefined) {
    return [sighting(found, { pid: Number(row['pid']), comm: row['comm'] ?? null })];
  }
  if (!fuserPids.test(text)) return [];
  return [...text.matchAll(/\d{1,10}/g)].map(([pid]) =>
    sighting(found, { ...NOBODY, pid: Number(pid) }),
  );
}

function sighting(found: Find, holder: HoldingProcess): Sighting {
  return { ...found, ...holder, tid: null, at: null, isListed: true };
}

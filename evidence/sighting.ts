/**
 * `Sighting`: what a line of a trace shows that a thread did, before it is interpreted.
 *
 * Parsers know the grammar of a format and produce sightings. The witness (`witness.ts`) knows the file
 * behind each descriptor and turns sightings into facts.
 *
 * @module
 */

import type { Clock } from '../events/vocabulary.ts';
import type { SeenCounts } from './messages/seen.ts';
import type { Telling } from './messages/told.ts';
import type { TracedWords } from '../operations/traced-words.ts';

export type { Clock } from '../events/vocabulary.ts';

/** The return value of a call, or its errno. */
export type Result = { readonly rc: number } | { readonly errno: string };

/** A descriptor as a trace shows it. `path`: the path of its file, if shown. */
export interface ShownFd {
  readonly fd: number;
  readonly path: string | null;
}

/** What was done. Calls are complete: an unfinished part and its resumed part are one deed. */
export type Deed =
  | {
      readonly did: 'open';
      readonly path: string;
      readonly cloexec: boolean;
      readonly result: Result;
      readonly file: string | null;
    }
  | {
      readonly did: 'ioctl';
      readonly on: ShownFd;
      /** The possible request numbers: several if a decoder has one name for them. */
      readonly requests: readonly number[];
      readonly words: TracedWords;
      readonly result: Result;
      /** The kernel address of the `struct file` of a returned descriptor, if shown. */
      readonly file: string | null;
    }
  | { readonly did: 'close'; readonly on: ShownFd; readonly result: Result }
  /** close_range(2): every descriptor from `first` to `last`. */
  | { readonly did: 'close-range'; readonly first: number; readonly last: number }
  /** dup, dup2, dup3, fcntl(F_DUPFD…). `to`: the number that the caller chose, or null. */
  | {
      readonly did: 'dup';
      readonly on: ShownFd;
      readonly to: number | null;
      readonly cloexec: boolean;
      readonly result: Result;
    }
  | { readonly did: 'cloexec'; readonly on: ShownFd; readonly cloexec: boolean }
  | {
      readonly did: 'fork';
      readonly child: number;
      readonly childComm: string | null;
      /** A thread, or a process that shares the descriptor table; null if unknown. */
      readonly shares: boolean | null;
    }
  /** `vm`: the virtual machine that the new command line names. Left out: it is not shown. */
  | { readonly did: 'exec'; readonly program: string | null; readonly vm?: string | false }
  /** The end of one thread; with `whole` that of the process. */
  | { readonly did: 'exit'; readonly whole: boolean; readonly signal: string | null }
  /** The tracer let the thread go: no later line shows what it does. */
  | { readonly did: 'detach' }
  | { readonly did: 'name'; readonly name: string }
  /** SCM_RIGHTS. `socket`: the path of the socket, if shown. */
  | {
      readonly did: 'send';
      readonly fds: readonly ShownFd[];
      readonly socket: string | null;
      readonly result: Result;
    }
  | {
      readonly did: 'receive';
      readonly fds: readonly ShownFd[];
      readonly socket: string | null;
      readonly cloexec: boolean;
    }
  | {
      readonly did: 'mmap';
      readonly on: ShownFd;
      readonly address: number;
      readonly length: number;
      readonly result: Result;
    }
  | { readonly did: 'munmap'; readonly address: number; readonly length: number }
  /** The kernel installed a `struct file` at a descriptor, in any call. */
  | { readonly did: 'install'; readonly fd: number; readonly file: string }
  /** The kernel released a `struct file`: its last reference is gone. */
  | {
      readonly did: 'release';
      readonly kind: 'device' | 'group' | 'iommufd' | 'container';
      readonly file: string;
    }
  /** An unbind of a driver began (`done` false) or ended (`done` true). */
  | {
      readonly did: 'unbind';
      readonly device: string;
      readonly driver: string | null;
      readonly done: boolean;
    }
  | {
      readonly did: 'bind-driver';
      readonly device: string;
      readonly driver: string;
      readonly result: Result;
    }
  /** A device got the node /dev/vfio/devices/CDEV. */
  | { readonly did: 'node'; readonly device: string; readonly cdev: string }
  /** A message of the kernel names the group or the driver of a device; null: not named. */
  | {
      readonly did: 'plug';
      readonly device: string;
      readonly group: string | null;
      readonly driver: string | null;
    }
  | { readonly did: 'unplug'; readonly device: string }
  /** A listing shows the group of a device. */
  | { readonly did: 'list-group'; readonly device: string; readonly group: string }
  /** A listing shows the driver that is bound to a device; null: none is. */
  | { readonly did: 'list-driver'; readonly device: string; readonly driver: string | null }
  /** A listing shows the node of a group, by its number, or of a device: `vfio3`. */
  | { readonly did: 'list-node'; readonly kind: 'group' | 'cdev'; readonly name: string }
  /** A message of the kernel names who waits for a device. The waiter is never the holder. */
  | {
      readonly did: 'wait';
      readonly device: string;
      readonly waiter: { readonly pid: number; readonly comm: string } | null;
    }
  /** A file was open before the evidence begins. Null: not shown. */
  | {
      readonly did: 'find';
      readonly fd: number | null;
      readonly kind: 'group' | 'container' | 'iommufd' | 'device';
      readonly device: string | null;
      readonly group: string | null;
      /** Equal for what listings show that were printed at one time. */
      readonly listing?: number;
    }
  /**
   * A program reports that it was refused, or concluded that it would be (`errno` null, with a cause).
   * If it does not print the errno, both are null. `group`, `device`: those of the call. `cause`: the
   * cause that its words show, or null.
   */
  | {
      readonly did: 'report';
      readonly operation:
        | 'open_group'
        | 'open_cdev'
        | 'open_iommufd'
        | 'open_container'
        | 'group_status'
        | 'set_container'
        | 'set_iommu'
        | 'get_device'
        | 'bind'
        | 'attach'
        | 'map_dma'
        | 'ioas_map'
        | 'reset'
        | 'hot_reset'
        | 'set_driver';
      readonly group: string | null;
      readonly device: string | null;
      readonly errno: string | null;
      readonly cause: string | null;
      /** What is in the way, if the words name it: the number of a group, or a device. */
      readonly blocker?: { readonly kind: 'group' | 'device'; readonly id: string };
      /** The driver, for set_driver. */
      readonly driver?: string | null;
    }
  /** A manager assigned a device to a claimant (a VM), released it, or could not assign it. */
  | {
      readonly did: 'claim';
      readonly outcome: 'granted' | 'released' | 'refused';
      /** Null: not named; of `released`: everything that the claimant has. */
      readonly device: string | null;
      /** The group that is named in place of the device. */
      readonly group?: string;
      /** Null: not named, which only a refused claim may be. */
      readonly claimant: NamedClaimant | null;
      readonly manager: string;
      readonly reason: string | null;
      /** The manager says who has the device: it was granted before. Left out: it is granted now. */
      readonly isStated?: true;
    }
  /** A manager has started the process of a virtual machine. */
  | {
      readonly did: 'run-vm';
      readonly vm: { readonly name: string; readonly uuid: string | null };
    }
  /** Events of the trace were lost here: `count` of them (null: unknown), or what a line shows. */
  | { readonly did: 'lose'; readonly count: number | null | 'line' }
  /** The kernel's first message, with its release: the host has booted. */
  | { readonly did: 'boot'; readonly kernel: string; readonly boot: string | null };

/** Who has or wants a device by the words of a manager: a name, and the UUID of a VM if it is known. */
export interface NamedClaimant {
  readonly name: string;
  readonly uuid: string | null;
}

/** What a listing shows of a device. */
export type ListedDevice = Extract<Deed, { did: 'list-group' | 'list-driver' }>;

/** A refusal as a program or the kernel reports it. */
export type Report = Extract<Deed, { did: 'report' }>;

/** A deed with the thread that did it and its time. */
export type Sighting = Deed & {
  /** The thread that did it, and its process (`pid`); null if not shown. */
  readonly tid: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  /** Microseconds on the clock of the trace; null if the line has no time. */
  readonly at: number | null;
  /** The clock of `at`. Left out: that of the parser, which does not change. */
  readonly clock?: Clock;
  /** The number of lines between its line and the last one. Left out: none. */
  readonly linesAgo?: number;
  /** Whether a listing shows it: what is open then, not when it was opened. Left out: no. */
  readonly isListed?: true;
  /** What other sources may tell as well, with the same exact time. Left out: nothing. */
  readonly telling?: Telling;
};

/** The kinds of files whose release by the kernel a trace can show. */
export type ReleasedKind = 'device' | 'group' | 'iommufd';

/** The parser of one trace format. */
export interface Parser {
  /** `none` until the first line that has a time. */
  readonly clock: Clock;
  /** The sightings that a line completes. Throws `EvidenceError` for a line that it cannot read. */
  line(text: string): readonly Sighting[];
  /** The sightings that are still open at the end of the trace. */
  end(): readonly Sighting[];
  /** The text of the last sightings, if it is not that of the last line alone. */
  readonly told?: string | null;
  /** Whether the trace shows every release of files of a kind. Left out: of none. */
  showsReleases?(kind: ReleasedKind): boolean;
  /** Whether the trace shows every process of the host. Left out: it does not. */
  readonly showsWholeHost?: boolean;
  /** Whether the last line says only what was told before. */
  readonly repeats?: boolean;
  /** Whether the last line completed the one before it, which had been rejected. */
  readonly completes?: boolean;
  /** The number of lines so far that say nothing to it. Left out: every line of its format is its own. */
  readonly passedOver?: number;
  /** Whether it may be spared lines that do not concern VFIO (`messages/concerns.ts`). Left out: no. */
  readonly mayPassOver?: boolean;
  /** Whether it reads listings. Left out: no. */
  readonly readsListings?: boolean;
  /** Whether a line so far names VFIO, though it may have said nothing that is kept. */
  readonly mentions?: boolean;
  /** The number of statements so far, by kind, for messages and listings. */
  readonly seen?: SeenCounts;
}

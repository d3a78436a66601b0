/**
 * A sighting: what a line of a trace shows somebody do, before anybody has decided what it means.
 *
 * Parsers of traces know grammar and give sightings; the witness (`witness.ts`) knows which
 * descriptor stands for what, and makes events of them.
 *
 * @module
 */

import type { Clock } from '../events/vocabulary.ts';
import type { TracedWords } from '../operations/traced-words.ts';

export type { Clock } from '../events/vocabulary.ts';

/** What a call came back with. */
export type Result = { readonly rc: number } | { readonly errno: string };

/** A descriptor as a trace shows it; `path` is what is behind it, where the trace says so. */
export interface ShownFd {
  readonly fd: number;
  readonly path: string | null;
}

/** What was done; calls are complete, unfinished and resumed put together. */
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
      /** Numbers that the request may have: one, or all that a decoder has one name for. */
      readonly requests: readonly number[];
      readonly words: TracedWords;
      readonly result: Result;
      /** The evidence's own name of the `struct file` behind a descriptor that came out. */
      readonly file: string | null;
    }
  | { readonly did: 'close'; readonly on: ShownFd; readonly result: Result }
  /** close_range(2): every descriptor from `first` to `last`. */
  | { readonly did: 'close-range'; readonly first: number; readonly last: number }
  /** dup, dup2, dup3, fcntl(F_DUPFD…); `to` where the caller chose the number. */
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
      /** A thread, or a process with the same descriptor table; null where the trace does not say. */
      readonly shares: boolean | null;
    }
  | { readonly did: 'exec'; readonly program: string | null }
  /** One thread, or with `whole` the process. */
  | { readonly did: 'exit'; readonly whole: boolean; readonly signal: string | null }
  | { readonly did: 'name'; readonly name: string }
  /** SCM_RIGHTS. `socket` is the path of the socket, where the trace says so. */
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
  /** A descriptor came to stand for a `struct file`, by whatever call. */
  | { readonly did: 'install'; readonly fd: number; readonly file: string }
  /** The last reference of a `struct file` is gone. */
  | {
      readonly did: 'release';
      readonly kind: 'device' | 'group' | 'iommufd' | 'container';
      readonly file: string;
    }
  /** A driver is being unbound (`done` false: the call has not come back), or was bound. */
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
  /** A device has a node, below /dev/vfio/devices, of that name. */
  | { readonly did: 'node'; readonly device: string; readonly cdev: string }
  /** The kernel speaks of a device: its group, its driver; null where it does not say. */
  | {
      readonly did: 'plug';
      readonly device: string;
      readonly group: string | null;
      readonly driver: string | null;
    }
  | { readonly did: 'unplug'; readonly device: string }
  /** The kernel names who waits for a device; that is never who holds it. */
  | {
      readonly did: 'wait';
      readonly device: string;
      readonly waiter: { readonly pid: number; readonly comm: string } | null;
    }
  /** A descriptor that was open before the evidence begins; null where it does not say. */
  | {
      readonly did: 'find';
      readonly fd: number | null;
      readonly kind: 'group' | 'container' | 'iommufd' | 'device';
      readonly device: string | null;
      readonly group: string | null;
    }
  /** A program says that it was refused something. `cause` is the cause that its words show, if any. */
  | {
      readonly did: 'report';
      readonly operation:
        | 'open_group'
        | 'open_cdev'
        | 'open_iommufd'
        | 'open_container'
        | 'set_container'
        | 'set_iommu'
        | 'get_device'
        | 'bind'
        | 'attach'
        | 'map_dma'
        | 'reset'
        | 'hot_reset'
        | 'set_driver';
      readonly group: string | null;
      readonly device: string | null;
      readonly errno: string;
      readonly cause: string | null;
      /** The driver, for set_driver. */
      readonly driver?: string | null;
    }
  /** A manager gives a device to somebody (a VM, a container), takes it back, or could not give it. */
  | {
      readonly did: 'claim';
      readonly outcome: 'granted' | 'released' | 'refused';
      /** Null: everything that the claimant has. */
      readonly device: string | null;
      readonly claimant: { readonly name: string; readonly uuid: string | null };
      readonly manager: string;
      readonly reason: string | null;
    }
  /** Lines of the trace were lost here; null where it does not say how many. */
  | { readonly did: 'lose'; readonly count: number | null }
  /** The kernel says which it is; a fresh boot where that is what begins. */
  | { readonly did: 'boot'; readonly kernel: string; readonly boot: string | null };

/** A refusal as a program or the kernel reports it. */
export type Report = Extract<Deed, { did: 'report' }>;

export type Sighting = Deed & {
  /** The thread that did it, and its process where the trace says so; null where it says neither. */
  readonly tid: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  /** Microseconds on the clock of the trace; null where the line has none. */
  readonly at: number | null;
};

/** Knows the grammar of one format. A line that it cannot read throws `EvidenceError`. */
export interface Parser {
  /** Settled by the first line that has a time. */
  readonly clock: Clock;
  /** The sightings that a line completes; none where it shows nothing of ours. */
  line(text: string): readonly Sighting[];
  /** What was begun and never came to its end. */
  end(): readonly Sighting[];
}

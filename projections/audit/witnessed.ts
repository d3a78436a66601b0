/**
 * Compares the machines with evidence that shows more than calls: releases by the kernel
 * (`file.released`), and causes that the evidence names.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { fileOpenedBy, type FileId } from '../../processes/process-table.ts';
import type { Finding } from '../findings.ts';

/** A release that the evidence shows, to be compared with the machines. */
interface Release {
  readonly file: FileId;
  readonly pid: number;
  readonly position: number;
}

/** Compares each release with the machines at the next event of the process that caused it. */
export class SeenReleases {
  readonly #files = new Map<string, FileId>();
  #pending: Release[] = [];

  /** Takes an event after `host` has taken it. */
  take(event: Placed<Fact>, host: LiveHost): Finding[] {
    const found = this.#compare(event, host);
    const opened = fileOpenedBy(event);
    if (opened !== null && 'pointer' in event.data && event.data.pointer !== undefined) {
      this.#files.set(event.data.pointer, opened);
    }
    if (event.type === 'host.booted') this.#files.clear();
    if (event.type !== 'file.released') return found;
    const { pid, pointer } = event.data;
    const file = this.#files.get(pointer);
    this.#files.delete(pointer);
    if (file !== undefined) this.#pending.push({ file, pid, position: event.position });
    return found;
  }

  #compare(event: Placed<Fact>, host: LiveHost): Finding[] {
    if (this.#pending.length === 0 || event.type === 'file.released') return [];
    const isOver = ({ pid }: Release) => 'pid' in event.data && event.data.pid === pid;
    const over = this.#pending.filter(isOver);
    if (over.length === 0) return [];
    this.#pending = this.#pending.filter((release) => !isOver(release));
    return over.flatMap(({ file, position }) => {
      if (host.file(file) === undefined) return [];
      const holders = host.holders(file).map(({ pid, fd }) => ({ pid, fd }));
      return [{ kind: 'release', position, file, holders }];
    });
  }
}

/** A finding if the rules give another cause than the evidence; null if they agree or give none. */
export function causeDisputed(event: Placed<Fact>, host: LiveHost): Finding | null {
  if (event.type !== 'operation.refused' || event.data.cause === undefined) return null;
  if (event.data.errno === null) return null;
  const { cause: named, ...refused } = event.data;
  const { cause } = host.explain(refused);
  if (cause === 'unknown' || cause === named) return null;
  const { position, data } = event;
  return {
    kind: 'cause',
    position,
    operation: data.operation,
    named,
    profile: host.profile,
    cause,
  };
}

/**
 * Heads that were kept elsewhere as witnesses, and what a log has in their place.
 *
 * @module
 */
import { RequestError } from '../../events/ledger-error.ts';
import type { Finding } from '../findings.ts';

/** A head that was kept of a host's stream; `host` is null if its name was not kept with it. */
interface KeptHead {
  readonly host: string | null;
  readonly position: number;
  readonly hash: string;
}

/** The part of a stream that a log has. */
export interface StreamInLog {
  /** The position of its first event in the log. */
  readonly first: number;
  /** The hash at a position, or before the first event; undefined if no event is there. */
  readonly hashAt: (position: number) => string | undefined;
}

/** Reads `POSITION:HASH` or `HOST=POSITION:HASH`. Throws `bad-request`. */
function keptHead(text: string): KeptHead {
  const [, host = null, at, hash] = /^(?:([^]*)=)?(-1|\d+):([\da-f]{64})$/.exec(text) ?? [];
  if (at !== undefined && hash !== undefined) return { host, position: Number(at), hash };
  throw new RequestError(
    `the head must be POSITION:HASH (64 hex digits) or HOST=POSITION:HASH, not '${text}'`,
  );
}

/**
 * A finding for each head that the log does not have. A head without a host is one of `host`.
 * `streamOf` gives the stream of a host; null if the log has none. Throws `bad-request` for a head
 * that is written in another way.
 */
export function keptHeadFindings(
  heads: readonly string[],
  host: string,
  streamOf: (host: string) => StreamInLog | null,
): Finding[] {
  return heads.map(keptHead).flatMap((kept): Finding[] => {
    const of = kept.host ?? host;
    const found = differenceFrom(kept, streamOf(of));
    if (found === null) return [];
    // A position of a finding is one of the host that is verified.
    if (of === host) return [{ kind: 'head', position: kept.position, found, host: null }];
    return [{ kind: 'head', position: null, found, host: of, kept: kept.position }];
  });
}

function differenceFrom(
  { position, hash }: KeptHead,
  stream: StreamInLog | null,
): (Finding & { kind: 'head' })['found'] | null {
  if (stream === null) return 'no-host';
  const there = stream.hashAt(position);
  if (there === hash) return null;
  if (there !== undefined) return 'other-hash';
  return position < stream.first ? 'not-here' : 'ends-before';
}

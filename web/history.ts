/**
 * Reads the log that is in the page: JSON lines as `export --format events` prints them, compressed with
 * deflate (zlib), in base64. A line before them is `{"host":NAME}`; the end marker after them is passed over.
 *
 * @module
 */
import { decode } from '../events/codec.ts';
import { SCHEMA } from '../events/vocabulary.ts';
import { Past } from '../ledger/questions.ts';
import { type SupposedEvent, WhatIf } from '../ledger/what-if.ts';
import { Timeline } from '../projections/timeline.ts';

/** A history that lies in the page. */
class EmbeddedPast extends Past<SupposedEvent> {
  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position, this.clock);
  }
}

/** The history of a host. */
export interface EmbeddedHistory {
  readonly host: string;
  readonly past: Past<SupposedEvent>;
}

/** A line of the embedded log; each kind of line has its own keys. */
interface EmbeddedLine {
  readonly host?: string;
  readonly end?: unknown;
  readonly position: number;
  readonly hash: string | null;
}

/** Milliseconds of work, after which the page shows how far it is. */
const CHUNK = 40;

/** Reads an embedded log. `progress` is told how much of it is read, from 0 to 1. */
export async function readHistory(
  embedded: string,
  progress: (part: number) => void,
): Promise<EmbeddedHistory> {
  const text = await decompressed(embedded);
  let [host, timeline, until]: [string, Timeline<SupposedEvent> | null, number] = ['', null, 0];
  for (let begin = 0; begin < text.length;) {
    const newline = text.indexOf('\n', begin);
    const end = newline < 0 ? text.length : newline;
    const line = begin === end ? null : (JSON.parse(text.slice(begin, end)) as EmbeddedLine);
    begin = end + 1;
    if (line?.host !== undefined) host = line.host;
    if (line?.position !== undefined) {
      timeline ??= new Timeline<SupposedEvent>({ first: line.position });
      timeline.take(eventIn(line));
    }
    if (performance.now() < until) continue;
    progress(begin / text.length);
    await nextTask();
    until = performance.now() + CHUNK;
  }
  return { host, past: new EmbeddedPast(timeline ?? new Timeline()) };
}

function eventIn(line: EmbeddedLine): SupposedEvent {
  const { position, hash } = line;
  return { ...decode(line), position, schema: SCHEMA, hash };
}

async function decompressed(embedded: string): Promise<string> {
  const bytes = bytesOf(embedded);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).text();
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

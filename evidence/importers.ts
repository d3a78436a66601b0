/**
 * The list of all importers, and the choice of one by format or by content.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import { eventsImporter } from './events.ts';
import type { Importer } from './importer.ts';
import type { Zero } from './instants.ts';
import { pasteParser } from './messages/log.ts';
import { dmesgParser, looksLikeDmesg } from './messages/dmesg.ts';
import { devicesParser, looksLikeDevices } from './messages/device-listing.ts';
import { fdinfoParser, looksLikeFdinfo } from './messages/fdinfo.ts';
import { libvirtAuditParser, looksLikeLibvirtAudit } from './messages/libvirt-audit.ts';
import { looksLikeText, textParser } from './messages/text.ts';
import { looksLikeFtrace } from './ftrace/line.ts';
import { ftraceParser } from './ftrace/parser.ts';
import { bpftraceParser, looksLikeBpftrace } from './bpftrace/parser.ts';
import { looksLikeQemuTrace, qemuTraceParser } from './qemu-trace/qemu-trace.ts';
import { looksLikeStrace, straceParser } from './strace/parser.ts';
import type { Parser } from './sighting.ts';
import { traceImporter } from './traces.ts';
import { truthImporter } from './truth.ts';

/** Traces: each line is of the format of the first, or is rejected. */
const traces: readonly Importer[] = [
  traceImporter('strace', looksLikeStrace, straceParser),
  traceImporter('bpftrace', looksLikeBpftrace, bpftraceParser),
  traceImporter('ftrace', looksLikeFtrace, ftraceParser),
  traceImporter('qemu-trace', looksLikeQemuTrace, qemuTraceParser),
];

/** The formats of traces that show each call of a process that they show at all. */
export const callTraces: ReadonlySet<string> = new Set(['strace', 'bpftrace', 'ftrace']);

/** Messages and listings. */
const messages: readonly (readonly [string, (line: string) => boolean, (zero?: Zero) => Parser])[] =
  [
    ['libvirt-audit', looksLikeLibvirtAudit, libvirtAuditParser],
    ['fdinfo', looksLikeFdinfo, fdinfoParser],
    ['devices', looksLikeDevices, devicesParser],
    ['dmesg', looksLikeDmesg, dmesgParser],
    ['text', looksLikeText, textParser],
  ];

/** Messages and listings in one file, whichever comes first. */
const mixed = messages.map(([format, recognizes]) =>
  traceImporter(format, recognizes, pasteParser),
);

const whole: readonly Importer[] = [eventsImporter, truthImporter];

const importers: readonly Importer[] = [
  ...whole,
  ...traces,
  ...messages.map((row) => traceImporter(...row)),
];

export const formats: readonly string[] = importers.map(({ format }) => format);

/** The importer of a format. Throws `RequestError` if there is none. */
export function importerOf(format: string): Importer {
  const importer = importers.find((known) => known.format === format);
  if (importer === undefined) {
    throw new RequestError(`no format '${format}'; known are ${formats.join(', ')}`);
  }
  return importer;
}

/** The importer that recognizes a line, or null. Some formats are tried on the first line only. */
export function importerFor(line: string, isFirst: boolean): Importer | null {
  const entire = isFirst ? whole.find((known) => known.recognizes(line)) : undefined;
  return entire ?? traceFor(line) ?? messagesFor(line);
}

/** The importer of a trace that recognizes a line, or null. */
export function traceFor(line: string): Importer | null {
  return traces.find((known) => known.recognizes(line)) ?? null;
}

/** The importer of messages and listings under the name of one of their formats. */
export function messagesOf(format: string): Importer {
  return mixed.find((known) => known.format === format) ?? importerOf(format);
}

/** The importer of messages and listings, if one of their formats recognizes a line, or null. */
export function messagesFor(line: string): Importer | null {
  return mixed.find((known) => known.recognizes(line)) ?? null;
}

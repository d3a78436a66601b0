/**
 * The list of all importers, and the choice of one by format or by content.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import { eventsImporter } from './events.ts';
import type { Importer } from './importer.ts';
import { dmesgParser, looksLikeDmesg } from './messages/dmesg.ts';
import { fdinfoParser, looksLikeFdinfo } from './messages/fdinfo.ts';
import { libvirtAuditParser, looksLikeLibvirtAudit } from './messages/libvirt-audit.ts';
import { looksLikeText, textParser } from './messages/text.ts';
import { looksLikeFtrace } from './ftrace/line.ts';
import { ftraceParser } from './ftrace/parser.ts';
import { bpftraceParser, looksLikeBpftrace } from './bpftrace/parser.ts';
import { looksLikeQemuTrace, qemuTraceParser } from './qemu-trace/qemu-trace.ts';
import { looksLikeStrace, straceParser } from './strace/parser.ts';
import { traceImporter } from './traces.ts';
import { truthImporter } from './truth.ts';

/** In the order in which they are tried on a line. */
const importers: readonly Importer[] = [
  eventsImporter,
  truthImporter,
  traceImporter('strace', looksLikeStrace, straceParser),
  traceImporter('bpftrace', looksLikeBpftrace, bpftraceParser),
  traceImporter('ftrace', looksLikeFtrace, ftraceParser),
  traceImporter('qemu-trace', looksLikeQemuTrace, qemuTraceParser),
  traceImporter('libvirt-audit', looksLikeLibvirtAudit, libvirtAuditParser),
  traceImporter('fdinfo', looksLikeFdinfo, fdinfoParser),
  traceImporter('dmesg', looksLikeDmesg, dmesgParser),
  traceImporter('text', looksLikeText, textParser),
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
  return importers.find((known) => (isFirst || known.isTolerant) && known.recognizes(line)) ?? null;
}

/**
 * The importers there are, and which of them a piece of evidence is for.
 *
 * @module
 */
import { eventsImporter } from './events.ts';
import { EvidenceError, type Importer } from './importer.ts';
import { truthImporter } from './truth.ts';

const importers: readonly Importer[] = [eventsImporter, truthImporter];

export const formats: readonly string[] = importers.map(({ format }) => format);

/** The importer of a format. Throws `EvidenceError` where there is none. */
export function importerOf(format: string): Importer {
  const importer = importers.find((known) => known.format === format);
  if (importer === undefined) {
    throw new EvidenceError(`no format '${format}'; known are ${formats.join(', ')}`);
  }
  return importer;
}

/** The importer that recognizes a first line. Throws `EvidenceError` where none does. */
export function importerFor(line: string): Importer {
  const importer = importers.find((known) => known.recognizes(line));
  if (importer === undefined) {
    throw new EvidenceError(
      `of no format known here (${formats.join(', ')}); name one with --format`,
    );
  }
  return importer;
}

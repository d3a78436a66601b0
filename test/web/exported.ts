/**
 * Logs as pages.
 *
 * @module
 */
import { timelineHtml } from '../../exports/html.ts';
import { pageScript } from '../../exports/page-script.ts';
import type { Ledger } from '../../ledger.ts';

/** The file that `export --format html` writes. */
export async function exportedPage(ledger: Ledger): Promise<string> {
  const pieces = await timelineHtml(ledger, { lines: lines(ledger), script: pageScript });
  return pieces.join('');
}

function* lines(ledger: Ledger): Generator<string> {
  for (const event of ledger.each()) yield JSON.stringify(event);
}

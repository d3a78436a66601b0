/**
 * The script of an exported page: reads the log in it, and shows its history.
 *
 * The page has the log in `<script id="log" type="application/octet-stream">` (`history.ts`), and an
 * element `<div id="page">`, in which this shows progress, and then the history.
 *
 * @module
 */
import { readHistory } from './history.ts';
import './lanes-view.ts';
import { TimelinePage } from './timeline-page.ts';

async function show(): Promise<void> {
  const page = document.querySelector('#page');
  const log = document.querySelector('#log');
  if (page === null || log === null) throw new Error('the page has no log');
  const progress = document.createElement('progress');
  progress.setAttribute('aria-label', 'Reading the log');
  page.replaceChildren(progress);
  try {
    const history = await readHistory(log.textContent ?? '', (part) => (progress.value = part));
    const timeline = new TimelinePage();
    timeline.history = history;
    page.replaceChildren(timeline);
  } catch (error) {
    page.textContent = `The log in this page cannot be read: ${String(error)}`;
  }
}

void show();

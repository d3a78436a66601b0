/**
 * The panels beside the lanes: the ownership table, a refusal, what changed hands, what was found.
 *
 * @module
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { Mark } from '../projections/lanes/marks.ts';
import type { Diff, Owner, Table } from '../projections/shapes.ts';
import { unchangedWords } from '../words/history.ts';
import { moreWords, momentTitle, positionWords } from '../words/moments.ts';
import { filesWords, holdersWords, ownerWords } from '../words/owners.ts';
import { laneWords, markWords } from '../words/pictures.ts';
import { printable } from '../words/printable.ts';
import type { View } from './address.ts';
import { colourNumber } from './palette.ts';
import type { SearchHits, ShownRefusal } from './questions.ts';

/** Makes a part of a view the view. */
export type Choose = (chosen: Partial<View>) => void;

/** An owner with its colour. */
function ownerCell(owner: Owner): TemplateResult {
  const number = colourNumber(owner);
  const swatch = number === null ? nothing : html`<i class="swatch owner-${number}"></i>`;
  const words = printable(ownerWords(owner));
  return html`${swatch}<span class=${owner.kind === 'unknown' ? 'unknown' : ''}>${words}</span>`;
}

function heading(...names: readonly string[]): TemplateResult {
  return html`<thead>
    <tr>
      ${names.map((name) => html`<th scope="col">${name}</th>`)}
    </tr>
  </thead>`;
}

/** Who owned, opened and held what at a moment. */
export function ownershipTable({ at, groups, devices }: Table): TemplateResult {
  return html`
    <section id="table" aria-label="Ownership">
      <h2>${momentTitle(at)}</h2>
      <table>
        <caption>
          Groups
        </caption>
        ${heading('Group', 'Owner', 'Since', 'Held by')}
        <tbody>
          ${groups.map(
            ({ group, owner, since }) =>
              html`<tr>
                <th scope="row" class="number">${printable(group)}</th>
                <td>${ownerCell(owner)}</td>
                <td class="number">${since ?? '-'}</td>
                <td>${printable(holdersWords(owner.holders))}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </section>
    <section aria-label="Devices">
      <table>
        <caption>
          Devices
        </caption>
        ${heading('Device', 'Group', 'Driver', 'State', 'Open files')}
        <tbody>
          ${devices.map(
            ({ device, name, group, driver, state, files }) =>
              html`<tr>
                <th scope="row">${printable(name === null ? device : `${device} (${name})`)}</th>
                <td class="number">${printable(group ?? '-')}</td>
                <td>${printable(driver ?? '-')}</td>
                <td class="number ${state === 'unknown' ? 'unknown' : ''}">${state}</td>
                <td>${printable(filesWords(files))}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </section>
  `;
}

/** A refusal explained; in history, each event that led to it can be left out. */
export function refusalPanel(
  { why, explained, because }: ShownRefusal,
  choose: Choose,
  isHistory: boolean,
): TemplateResult {
  return html`<section id="refusal" class="refusal" aria-label="Refusal">
    <h2>Refusal at ${positionWords(why.position)}: ${why.cause}</h2>
    <pre>${explained}</pre>
    <ul class="reasons chips">
      ${because.map(
        ({ position, sentence }) =>
          html`<li class="chips">
            <button @click=${() => choose({ at: position })} title=${printable(sentence)}>
              Go to ${position}
            </button>
            ${
              isHistory
                ? html`<button
                    @click=${() => choose({ without: position })}
                    title=${printable(sentence)}
                  >
                    What if without ${position}?
                  </button>`
                : nothing
            }
          </li>`,
      )}
      <li><button @click=${() => choose({ refusal: null })}>Close</button></li>
    </ul>
  </section>`;
}

/** What changed hands between two moments. */
export function changesPanel(diff: Diff, choose: Choose): TemplateResult {
  const { from, to, changes } = diff;
  return html`<section id="changes" aria-label="Changes">
    <h2>After ${positionWords(from)}, up to ${positionWords(to)}</h2>
    ${
      changes.length === 0
        ? html`<p>${unchangedWords(diff)}</p>`
        : html`<table>
            <caption>
              Changes of owners
            </caption>
            ${heading('Group', 'Before', 'After', 'Position')}
            <tbody>
              ${changes.map(
                ({ subject, before, after, position }) =>
                  html`<tr>
                    <th scope="row">${printable(subject)}</th>
                    <td>${ownerCell(before)}</td>
                    <td>${ownerCell(after)}</td>
                    <td class="number">${position}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    <p><button @click=${() => choose({ compare: null })}>Stop comparing</button></p>
  </section>`;
}

/** The most entries of a list; of more, their number. */
const LISTED = 60;

/** What a search has found, as ways to it. */
export function foundPanel(found: SearchHits, choose: Choose): TemplateResult {
  const { lanes, tenures } = found;
  return html`<section id="found" aria-label="Found" role="status">
    <h2>Found</h2>
    ${lanes.length + tenures.length === 0 ? html`<p>Nothing.</p>` : nothing}
    <ul class="chips">
      ${lanes.slice(0, LISTED).map(
        (id) =>
          html`<li>
            <button @click=${() => choose({ subject: id })}>${printable(id)}</button>
          </li>`,
      )}
      ${tenures.slice(0, LISTED).map(
        ({ subject, from, by, owner }) =>
          html`<li>
            <button @click=${() => choose({ at: from ?? -1 })}>
              ${printable(`${laneWords({ kind: 'group', id: subject })}, ${ownerWords(owner)}`)},
              ${positionWords(from)}: ${printable(holdersWords(by))}
            </button>
          </li>`,
      )}
    </ul>
    ${rest(lanes.length + tenures.length)}
  </section>`;
}

/** The marks in view, as buttons: what the picture shows, for those who do not see it. */
export function marksPanel(marks: readonly Mark[], choose: Choose): TemplateResult {
  return html`<section id="marks" aria-label="Marks in view">
    <h2>Marks in view</h2>
    <ol class="chips">
      ${marks.slice(0, LISTED).map((mark) => {
        const { kind, position } = mark;
        const go = () =>
          choose(kind === 'refusal' ? { refusal: position, at: position } : { at: position });
        return html`<li><button @click=${go}>${printable(markWords(mark))}</button></li>`;
      })}
    </ol>
    ${rest(marks.length)}
  </section>`;
}

function rest(count: number): TemplateResult | typeof nothing {
  return count > LISTED ? html`<p class="faint">${moreWords(count - LISTED)}</p>` : nothing;
}

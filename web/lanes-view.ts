/**
 * The lanes and the scrub bar: `<ledger-lanes>`. It draws a view, and says which moment, mark or lane was
 * chosen: an event `choose` with a part of a view.
 *
 * @module
 */
import { html, LitElement, type PropertyValues } from 'lit';
import { laneWords, lookWords, scrubWords } from '../words/pictures.ts';
import { printable } from '../words/printable.ts';
import type { View } from './address.ts';
import { dark, light } from './palette.ts';
import { drawChosen, drawLanes, type Chosen, type Picture } from './picture.ts';
import { clamp } from './range.ts';
import { remembered } from './remembered.ts';
import type { DrawnRow } from './rows.ts';
import { drawScrubBar, SCRUB_HEIGHT } from './scrub-bar.ts';
import { lanesStyles } from './styles.ts';

/** A part of the view that the reader has chosen. */
export class ChooseEvent extends CustomEvent<Partial<View>> {
  constructor(chosen: Partial<View>) {
    super('choose', { detail: chosen, bubbles: true, composed: true });
  }
}

/** Pixels around the middle of a mark in which it is hit. */
const HIT = 8;

export class LanesView extends LitElement {
  static override styles = lanesStyles;
  static override properties = {
    picture: { attribute: false },
    chosen: { attribute: false },
    subject: { attribute: false },
    time: { attribute: false },
    bounds: { attribute: false },
  };
  /** Without its colours, which follow what the reader prefers. */
  declare picture: Omit<Picture, 'colours'> | null;
  declare chosen: Chosen;
  declare subject: string | null;
  /** The time at the chosen moment. */
  declare time: string | null;
  /** The first and the last moment that can be chosen. */
  declare bounds: readonly [number, number];
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #print = matchMedia('print');
  readonly #colours = () => (this.#dark.matches && !this.#print.matches ? dark : light);
  readonly #drawn = remembered(
    (given: Omit<Picture, 'colours'>, colours: typeof light, ratio: number) => {
      const picture = { ...given, colours };
      drawLanes(this.#canvas('base', picture.width, picture.height, ratio), picture);
      return picture;
    },
  );

  constructor() {
    super();
    this.picture = null;
    for (const media of [this.#dark, this.#print]) {
      media.addEventListener('change', () => this.requestUpdate());
    }
  }

  override render() {
    const { picture, chosen, subject } = this;
    if (picture === null) return html``;
    const { at } = chosen;
    return html`
      <div class="lanes">
        <ul class="labels" aria-label="Lanes">
          ${picture.rows.map((row) => this.#label(row, at, subject))}
        </ul>
        <div class="plot" @pointerdown=${this.#press} @pointermove=${this.#drag}>
          <canvas id="base" aria-hidden="true"></canvas>
          <canvas id="over" aria-hidden="true"></canvas>
        </div>
      </div>
      <div class="axis">
        <div class="name" aria-hidden="true">Moment</div>
        <div
          class="scrub"
          role="slider"
          tabindex="0"
          aria-label="Moment"
          aria-valuemin=${this.bounds[0]}
          aria-valuemax=${this.bounds[1]}
          aria-valuenow=${at}
          aria-valuetext=${scrubWords(at, this.time)}
          @pointerdown=${this.#press}
          @pointermove=${this.#drag}
          @keydown=${this.#key}
        >
          <canvas id="bar" aria-hidden="true"></canvas>
        </div>
      </div>
    `;
  }

  #label({ lane }: DrawnRow, at: number, subject: string | null) {
    const stretch = lane.stretches.find(({ from, to }) => from <= at && at < to);
    const look = stretch === undefined ? '' : `: ${lookWords(stretch)}`;
    return html`<li class=${lane.kind}>
      <button
        aria-pressed=${lane.id === subject}
        aria-label=${printable(`${laneWords(lane)}${look}`)}
        title=${printable(`${laneWords(lane)}${look}`)}
        @click=${() => this.#choose({ subject: lane.id === subject ? null : lane.id })}
      >
        ${printable(lane.kind === 'group' ? laneWords(lane) : lane.id)}
      </button>
    </li>`;
  }

  protected override updated(changed: PropertyValues): void {
    const { picture: given, chosen } = this;
    if (given === null) return;
    const ratio = devicePixelRatio;
    if (changed.has('picture')) this.#place(given);
    const picture = this.#drawn(given, this.#colours(), ratio);
    const { width, height } = picture;
    drawChosen(this.#canvas('over', width, height, ratio), picture, chosen);
    drawScrubBar(this.#canvas('bar', width, SCRUB_HEIGHT, ratio), picture, chosen.at);
  }

  /** Sizes by properties: a strict policy allows no style in attributes. */
  #place({ rows, height }: Omit<Picture, 'colours'>): void {
    const root = this.renderRoot;
    root.querySelector<HTMLElement>('.plot')?.style.setProperty('height', `${height}px`);
    const labels = root.querySelectorAll<HTMLElement>('.labels li');
    for (const [index, row] of rows.entries()) {
      labels[index]?.style.setProperty('top', `${row.top}px`);
      labels[index]?.style.setProperty('height', `${row.height}px`);
    }
  }

  /** A canvas of this size, scaled to the pixels of the screen. */
  #canvas(id: string, width: number, height: number, ratio: number): CanvasRenderingContext2D {
    const canvas = this.renderRoot.querySelector<HTMLCanvasElement>(`#${id}`);
    const context = canvas?.getContext('2d');
    if (!canvas || !context) throw new Error(`no canvas '${id}'`);
    const [columns, lines] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== columns || canvas.height !== lines) {
      [canvas.width, canvas.height] = [columns, lines];
      canvas.style.setProperty('width', `${width}px`);
      canvas.style.setProperty('height', `${height}px`);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }

  #choose(chosen: Partial<View>): void {
    this.dispatchEvent(new ChooseEvent(chosen));
  }

  readonly #press = (event: PointerEvent) => {
    const target = event.currentTarget as HTMLElement;
    target.setPointerCapture(event.pointerId);
    const refusal = target.className === 'plot' ? this.#refusalAt(event) : null;
    if (refusal === null) this.#scrub(event);
    else this.#choose({ refusal, at: refusal });
  };

  readonly #drag = (event: PointerEvent) => {
    if (event.buttons === 1) this.#scrub(event);
  };

  #scrub(event: PointerEvent): void {
    const { left } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = this.picture?.axis.positionAt(event.clientX - left);
    if (at !== undefined) this.#choose({ at });
  }

  /** The refusal whose mark is nearest to the pointer. */
  #refusalAt(event: PointerEvent): number | null {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    if (this.picture === null) return null;
    const { rows, marks, axis } = this.picture;
    const row = rows.find((found) => y >= found.top && y < found.top + found.height);
    const hits = marks
      .filter(({ kind, lane }) => kind === 'refusal' && lane === (row?.lane.id ?? ''))
      .map(({ position }) => ({ position, away: Math.abs(axis.xOf(position) - x) }))
      .filter(({ away }) => away <= HIT)
      .toSorted((one, other) => one.away - other.away);
    return hits[0]?.position ?? null;
  }

  readonly #key = (event: KeyboardEvent) => {
    const [least, most] = this.bounds;
    const page = Math.max(1, Math.round((most - least) / 10));
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: this.chosen.at - 1,
      ArrowRight: this.chosen.at + 1,
      ArrowDown: this.chosen.at - 1,
      ArrowUp: this.chosen.at + 1,
      PageDown: this.chosen.at - page,
      PageUp: this.chosen.at + page,
      Home: least,
      End: most,
    };
    const wanted = to[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    const at = clamp(wanted, least, most);
    // The next key may come before the page has drawn this one.
    this.chosen = { ...this.chosen, at };
    this.#choose({ at });
  };
}

customElements.define('ledger-lanes', LanesView);

/**
 * The page of a history: `<ledger-timeline>`. It keeps the view, which the address holds, and asks the
 * history what the view shows.
 *
 * @module
 */
import { html, LitElement, nothing } from 'lit';
import { LedgerError } from '../events/ledger-error.ts';
import type { Mark, MarkKind } from '../projections/lanes/marks.ts';
import { coverageWords } from '../words/coverage.ts';
import { extentWords, notSupposedWords, supposedWords } from '../words/pictures.ts';
import { printable } from '../words/printable.ts';
import { addressOf, viewAt, type View } from './address.ts';
import { axisOfPositions, axisOfTime } from './axis.ts';
import type { EmbeddedHistory } from './history.ts';
import { actionOf, keyBindings, type Action } from './keys.ts';
import type { ChooseEvent } from './lanes-view.ts';
import { changesPanel, foundPanel, marksPanel, ownershipTable, refusalPanel } from './panels.ts';
import type { Chosen, Picture } from './picture.ts';
import { Questions, type SearchHits } from './questions.ts';
import { remembered } from './remembered.ts';
import { rowsOf } from './rows.ts';
import { pageStyles } from './styles.ts';
import { chosenBy, momentOf, rangeOf } from './view-changes.ts';

/** The history that is shown: the one that happened, or one that did not. */
interface Shown {
  readonly questions: Questions;
  /** The first position that did not happen; Infinity in history. */
  readonly supposedFrom: number;
  /** Why an event could not be left out; null if none was wanted, or it was. */
  readonly refused: string | null;
}

type Drawn = Pick<Picture, 'rows' | 'height' | 'axis' | 'marks'>;

/** Milliseconds without a choice, after which the address holds the view. */
const SETTLED = 150;

export class TimelinePage extends LitElement {
  static override styles = pageStyles;
  static override properties = {
    history: { attribute: false },
    view: { state: true },
    columns: { state: true },
  };
  declare history: EmbeddedHistory;
  declare view: View;
  /** Width of the lanes in pixels; 0 until it is known. */
  declare columns: number;
  #address: ReturnType<typeof setTimeout> | undefined;

  readonly #root = remembered(({ past }: EmbeddedHistory) => new Questions(past));
  readonly #coverage = remembered((asked: Questions) => coverageWords(asked.coverage()));
  readonly #shown = remembered((history: Questions, without: number | null): Shown => {
    const asHappened = { questions: history, supposedFrom: Infinity, refused: null };
    if (without === null) return asHappened;
    try {
      const { questions, from } = history.without(without);
      return { questions, supposedFrom: from + 1, refused: null };
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return { ...asHappened, refused: notSupposedWords(without, error.message) };
    }
  });
  readonly #drawn = remembered(
    (shown: Shown, axisName: View['axis'], from: number, to: number, width: number): Drawn => {
      const { questions } = shown;
      const [end, isTimed] = [to + 1, axisName === 'time'];
      const axis = isTimed
        ? axisOfTime(questions.clock, from, end, width)
        : axisOfPositions(from, end, width);
      const marks = questions.marks(axis.edges);
      return { ...rowsOf(questions.lanes(axis.edges)), axis, marks };
    },
  );
  readonly #picture = remembered(
    (drawn: Drawn, shown: Shown, width: number, found: SearchHits, subject: string | null) => {
      const { supposedFrom } = shown;
      const lit = new Set([...found.lanes, ...(subject === null ? [] : [subject])]);
      return { ...drawn, width, supposedFrom, lit } satisfies Omit<Picture, 'colours'>;
    },
  );
  readonly #found = remembered((asked: Questions, text: string): SearchHits => asked.search(text));
  readonly #refusal = remembered((asked: Questions, position: number | null) => {
    return position === null ? null : asked.refusal(position);
  });
  readonly #table = remembered((asked: Questions, position: number) => asked.table(position));
  readonly #diff = remembered((asked: Questions, from: number, to: number) => asked.diff(from, to));

  constructor() {
    super();
    this.view = viewAt(location.hash);
    this.columns = 0;
    const sizes = new ResizeObserver(() => this.#measure());
    sizes.observe(this);
    addEventListener('hashchange', () => (this.view = viewAt(location.hash)));
    addEventListener('keydown', this.#key);
    matchMedia('print').addEventListener('change', () => this.#measure());
  }

  /** Draws at most once a frame. */
  protected override async scheduleUpdate(): Promise<void> {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    await super.scheduleUpdate();
  }

  override render() {
    const history = this.#root(this.history);
    const { view } = this;
    const shown = this.#shown(history, view.without);
    const { questions } = shown;
    return html`
      <header>${this.#header(history)} ${this.#tools(questions)}</header>
      <main
        class="grid ${shown.supposedFrom === Infinity ? '' : 'supposed'}"
        @choose=${(event: ChooseEvent) => this.#choose(event.detail)}
      >
        ${this.#banner(shown, history)}
        ${
          questions.head < questions.first
            ? html`<p>The log is empty.</p>`
            : html`<div>${this.#lanes(shown)}</div>
                <div>${this.#side(questions)}</div>`
        }
      </main>
      ${helpDialog}
    `;
  }

  protected override updated(): void {
    if (this.columns === 0) this.#measure();
  }

  #header(history: Questions) {
    const { past } = history;
    const extent = extentWords(past.length, past.firstTime, past.lastTime);
    return html`<h1>${printable(this.history.host) || 'vfio-ledger'}</h1>
      <p>${extent}</p>
      <p class="faint">${past.length === 0 ? nothing : this.#coverage(history)}</p>`;
  }

  #tools({ past, head }: Questions) {
    const { view } = this;
    const button = (action: Action, text: string, isPressed?: boolean) => {
      const { key, label } = keyBindings.find((binding) => binding.action === action)!;
      return html`<button
        id=${action}
        aria-label=${label}
        title="${label} (${key})"
        aria-pressed=${isPressed ?? nothing}
        ?disabled=${head < past.first || (action === 'axis' && !past.isTimed)}
        @click=${() => this.#do(action)}
      >
        ${text}
      </button>`;
    };
    return html`<div class="tools" role="toolbar" aria-label="Timeline">
      ${button('last-event', '‹ Event')} ${button('next-event', 'Event ›')}
      ${button('last-change', '‹ Change')} ${button('next-change', 'Change ›')}
      ${button('last-refusal', '‹ Refusal')} ${button('next-refusal', 'Refusal ›')}
      ${button('zoom-out', '−')} ${button('zoom-in', '+')} ${button('whole', 'Everything')}
      ${button('axis', 'Time', view.axis === 'time')}
      ${button('compare', 'Compare', view.compare !== null)}
      <input
        class="apart"
        type="search"
        id="search"
        aria-label="Search"
        placeholder="device, group, pid, command, VM"
        .value=${view.search}
        @change=${(event: Event) => {
          this.#choose({ search: (event.target as HTMLInputElement).value });
        }}
      />
      ${button('help', '?')}
    </div>`;
  }

  #banner({ supposedFrom, refused }: Shown, history: Questions) {
    const { without } = this.view;
    if (without === null) return nothing;
    const words =
      supposedFrom === Infinity ? refused : supposedWords(without, history.sentence(without));
    return html`<div class="banner" role="alert">
      <span>${printable(words ?? '')}</span>
      <button id="back" @click=${() => this.#do('back')}>Back to history</button>
    </div>`;
  }

  #lanes(shown: Shown) {
    const { view, columns } = this;
    const { questions } = shown;
    const range = rangeOf(view, questions);
    const at = momentOf(view, questions);
    if (columns === 0) return html`<ledger-lanes></ledger-lanes>`;
    const found = this.#found(questions, view.search);
    const axis =
      questions.past.isTimed && shown.supposedFrom === Infinity ? view.axis : 'positions';
    const drawn = this.#drawn(shown, axis, range.from, range.to, columns);
    const picture = this.#picture(drawn, shown, columns, found, view.subject);
    const tenures = found.tenures.map(({ subject, from, to }) => ({
      lane: subject,
      from: from ?? questions.first,
      to: to ?? questions.head + 1,
    }));
    const refusal = this.#refusal(questions, view.refusal);
    const chosen: Chosen = { at, compare: view.compare, refusal, tenures };
    return html`<ledger-lanes
        .picture=${picture}
        .chosen=${chosen}
        .subject=${view.subject}
        .time=${questions.timeOf(at)}
        .bounds=${[-1, questions.head]}
      ></ledger-lanes>
      <p id="moment">${at < questions.first ? nothing : printable(questions.sentence(at))}</p>
      ${marksPanel(byInterest(drawn.marks), this.#choose)}`;
  }

  #side(questions: Questions) {
    const { view } = this;
    const at = momentOf(view, questions);
    const refusal = this.#refusal(questions, view.refusal);
    const { compare } = view;
    const others = [
      refusal === null ? nothing : refusalPanel(refusal, this.#choose, view.without === null),
      compare === null || compare > questions.head
        ? nothing
        : changesPanel(
            this.#diff(questions, Math.min(at, compare), Math.max(at, compare)),
            this.#choose,
          ),
      view.search === '' ? nothing : foundPanel(this.#found(questions, view.search), this.#choose),
    ];
    return html`${others} ${ownershipTable(this.#table(questions, at))}`;
  }

  readonly #choose = (chosen: Partial<View>) => {
    this.view = { ...this.view, ...chosen };
    clearTimeout(this.#address);
    this.#address = setTimeout(
      () => history.replaceState(null, '', `#${addressOf(this.view)}`),
      SETTLED,
    );
  };

  readonly #key = (event: KeyboardEvent) => {
    const isTyping = event.composedPath()[0] instanceof HTMLInputElement;
    const action = actionOf(event.key);
    if (isTyping || action === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#do(action);
  };

  #do(action: Action): void {
    if (action === 'search') this.renderRoot.querySelector<HTMLElement>('#search')?.focus();
    if (action === 'help') this.renderRoot.querySelector('dialog')?.showModal();
    const { questions } = this.#shown(this.#root(this.history), this.view.without);
    if (questions.head < questions.first) return;
    const chosen = chosenBy(action, this.view, questions);
    if (chosen !== null) this.#choose(chosen);
  }

  /** The lanes take what is left of the width beside their labels. */
  #measure(): void {
    const lanes = this.renderRoot?.querySelector('ledger-lanes');
    if (lanes === null || lanes === undefined) return;
    this.columns = Math.max(60, Math.floor(lanes.getBoundingClientRect().width) - LABELS);
  }
}

/** Width of the labels in pixels. */
const LABELS = 168;

/** What a reader looks for first: what was refused, and last which devices came. */
const order: readonly MarkKind[] = ['refusal', 'gap', 'boot', 'driver', 'exit', 'plug'];

function byInterest(marks: readonly Mark[]): Mark[] {
  return marks.toSorted((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

const helpDialog = html`<dialog aria-label="Keys">
  <h2>Keys</h2>
  <table>
    <tbody>
      ${keyBindings.map(
        ({ key, label }) =>
          html`<tr>
            <th scope="row"><kbd>${key}</kbd></th>
            <td>${label}</td>
          </tr>`,
      )}
    </tbody>
  </table>
  <form method="dialog">
    <p><button>Close</button></p>
  </form>
</dialog>`;

customElements.define('ledger-timeline', TimelinePage);

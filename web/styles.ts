/**
 * The look of the page: type, colours in light and dark, and print.
 *
 * @module
 */
import { css, unsafeCSS } from 'lit';
import { dark, light, type Colours } from './palette.ts';

const variables = (colours: Colours) => {
  const { owners, ...named } = colours;
  const plain = Object.entries(named).map(([name, colour]) => `--${name}: ${colour};`);
  const numbered = owners.map((colour, number) => `--owner-${number}: ${colour};`);
  return unsafeCSS([...plain, ...numbered].join(' '));
};

const swatches = light.owners.map((_, number) => {
  return `.owner-${number} { background: var(--owner-${number}); }`;
});

export const pageStyles = css`
  :host {
    ${variables(light)}
    color-scheme: light dark;
    display: block;
    min-height: 100vh;
    box-sizing: border-box;
    padding: 20px 24px 32px;
    background: var(--paper);
    color: var(--ink);
    font:
      14px/1.5 system-ui,
      'Segoe UI',
      Roboto,
      sans-serif;
    font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      ${variables(dark)}
    }
  }
  @media print {
    :host {
      ${variables(light)}
      padding: 0;
      font-size: 11px;
    }
    .tools,
    .skip,
    dialog {
      display: none !important;
    }
  }
  h1 {
    margin: 0;
    font-size: 20px;
    font-weight: 650;
    letter-spacing: -0.01em;
  }
  h2 {
    margin: 0 0 6px;
    font-size: 13px;
    font-weight: 650;
  }
  p {
    margin: 2px 0;
  }
  .faint {
    color: var(--faint);
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    align-items: center;
    margin: 14px 0;
  }
  .tools .apart {
    margin-left: auto;
  }
  button,
  input[type='search'] {
    font: inherit;
    font-size: 13px;
    color: inherit;
    background: var(--paper);
    border: 1px solid var(--faint);
    border-radius: 6px;
    padding: 3px 10px;
    min-height: 28px;
    box-sizing: border-box;
  }
  input[type='search'] {
    width: 230px;
  }
  button:hover:not(:disabled) {
    border-color: var(--accent);
    color: var(--accent);
  }
  button[aria-pressed='true'] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--paper);
  }
  button:disabled {
    opacity: 0.6;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .grid {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(340px, 430px);
    gap: 28px;
    align-items: start;
  }
  @media (max-width: 1060px) {
    .grid {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  section {
    margin-bottom: 22px;
  }
  table {
    border-collapse: collapse;
    width: 100%;
    font-size: 13px;
  }
  caption {
    text-align: left;
    font-weight: 650;
    padding: 0 0 4px;
  }
  th,
  td {
    text-align: left;
    vertical-align: top;
    font-weight: 400;
    padding: 4px 10px 4px 0;
    border-bottom: 1px solid var(--grid);
    overflow-wrap: anywhere;
  }
  thead th {
    color: var(--faint);
    font-size: 12px;
    overflow-wrap: normal;
  }
  .number {
    white-space: nowrap;
  }
  .swatch {
    display: inline-block;
    width: 10px;
    height: 10px;
    margin-right: 6px;
    border: 1px solid var(--faint);
    border-radius: 2px;
  }
  ${unsafeCSS(swatches.join('\n'))}
  .unknown {
    color: var(--unknown);
  }
  .banner {
    border: 2px dashed var(--ink);
    background: repeating-linear-gradient(135deg, var(--supposed) 0 14px, var(--paper) 14px 18px);
    padding: 10px 14px;
    margin: 12px 0;
    border-radius: 6px;
    display: flex;
    gap: 14px;
    align-items: center;
    justify-content: space-between;
  }
  main > .banner {
    grid-column: 1 / -1;
    margin: 0;
  }
  .banner span {
    background: var(--paper);
    padding: 2px 6px;
  }
  .supposed {
    outline: 3px dashed var(--ink);
    outline-offset: 6px;
  }
  .refusal {
    border-left: 3px solid var(--refusal);
    padding-left: 12px;
  }
  pre {
    margin: 0 0 8px;
    font:
      12.5px/1.5 ui-monospace,
      'DejaVu Sans Mono',
      monospace;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  ol,
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .reasons li {
    margin: 6px 0;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 5px;
  }
  .chips button {
    font-size: 12px;
    padding: 1px 8px;
    min-height: 24px;
  }
  dialog {
    color: var(--ink);
    background: var(--paper);
    border: 1px solid var(--faint);
    border-radius: 10px;
    padding: 20px 26px;
  }
  kbd {
    font:
      12px ui-monospace,
      monospace;
    border: 1px solid var(--faint);
    border-radius: 4px;
    padding: 0 6px;
  }
`;

export const lanesStyles = css`
  :host {
    display: block;
  }
  .lanes {
    display: grid;
    grid-template-columns: 168px minmax(0, 1fr);
    border-top: 1px solid var(--grid);
    border-bottom: 1px solid var(--grid);
  }
  .labels {
    position: relative;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .labels li {
    position: absolute;
    left: 0;
    right: 8px;
  }
  .labels button {
    display: block;
    width: 100%;
    height: 100%;
    border: 0;
    border-radius: 4px;
    padding: 0 4px;
    background: none;
    color: inherit;
    font: inherit;
    font-size: 12.5px;
    font-weight: 600;
    line-height: 1;
    text-align: left;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    cursor: pointer;
  }
  .labels .device button {
    padding-left: 14px;
    font-weight: 400;
    font-size: 12px;
  }
  .labels button[aria-pressed='true'] {
    background: var(--accent);
    color: var(--paper);
  }
  .plot {
    position: relative;
    cursor: crosshair;
    touch-action: pan-y;
  }
  canvas {
    position: absolute;
    inset: 0;
    display: block;
  }
  .axis {
    display: grid;
    grid-template-columns: 168px minmax(0, 1fr);
    font-size: 12px;
    color: var(--faint);
    position: sticky;
    bottom: 0;
    background: var(--paper);
  }
  .scrub {
    position: relative;
    height: 52px;
    touch-action: none;
    cursor: ew-resize;
  }
  .name {
    padding: 6px 4px;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: -1px;
  }
  @media print {
    .axis {
      position: static;
    }
  }
`;

/**
 * A chart of costs by length, as SVG: both axes logarithmic, colours that can be read on light and
 * on dark. A colour for each name, which stands at the end of the longest of its lines; a kind of line
 * for each host.
 *
 * @module
 */

/** The kinds of lines, as SVG dashes them, and what each of them means. */
const LINES = {
  solid: { dashes: 'none', means: 'a host seen whole' },
  dashed: { dashes: '7 4', means: 'boot unseen' },
  dotted: { dashes: '2 4', means: 'short boots' },
} as const;

export interface Series {
  readonly name: string;
  readonly line: keyof typeof LINES;
  /** Length of the log, and the cost in ms. */
  readonly points: readonly (readonly [length: number, cost: number])[];
}

const WIDTH = 820;
const HEIGHT = 440;
const PLOT = { left: 70, top: 40, right: WIDTH - 220, bottom: HEIGHT - 55 };
const LEGEND = { left: 190, top: 18, width: 165 };
const GREY = '#808080';
const COLOURS = ['#d9822b', '#b8860b', '#2f81f7', '#8957e5', '#bf3989', '#2da44e'];
/** Names at the ends of lines keep so far from each other. */
const LINE_HEIGHT = 16;

/** Powers of ten from the one below the least to the one above the most. */
interface Axis {
  readonly powers: readonly number[];
  readonly at: (value: number) => number;
}

export function chart(series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points);
  const x = axis(
    points.map(([length]) => length),
    [PLOT.left, PLOT.right],
  );
  const y = axis(
    points.map(([, cost]) => cost),
    [PLOT.bottom, PLOT.top],
  );
  const names = [...new Set(series.map(({ name }) => name))];
  const longest = names.map((name) => longestOf(series.filter((one) => one.name === name)));
  const heights = apart(longest.map(({ points: own }) => y.at(own.at(-1)?.[1] ?? 1)));
  const colourOf = (name: string) => COLOURS[names.indexOf(name) % COLOURS.length] ?? GREY;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}"`,
    ` width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">`,
    '<title>What an answer costs as a log grows</title>',
    ...frame(x, y),
    ...legend(),
    ...series.flatMap((one) => line(one, [x, y], colourOf(one.name))),
    ...names.map((name, at) =>
      text(PLOT.right + 10, (heights[at] ?? 0) + 4, 'start', name, colourOf(name)),
    ),
    '</svg>',
    '',
  ].join('\n');
}

function axis(values: readonly number[], [from, to]: readonly [number, number]): Axis {
  const least = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const most = Math.max(Math.ceil(Math.log10(Math.max(...values)) - 1e-9), least + 1);
  const powers = Array.from({ length: most - least + 1 }, (_, index) => least + index);
  const at = (value: number) =>
    round(from + ((Math.log10(value) - least) / (most - least)) * (to - from));
  return { powers, at };
}

function frame(x: Axis, y: Axis): string[] {
  const { left, right, top, bottom } = PLOT;
  const middle = (left + right) / 2;
  return [
    ...x.powers.map((power) => {
      const at = x.at(10 ** power);
      return `${rule(at, top, at, bottom)}${text(at, bottom + 20, 'middle', lengthText(power))}`;
    }),
    ...y.powers.map((power) => {
      const at = y.at(10 ** power);
      return `${rule(left, at, right, at)}${text(left - 8, at + 4, 'end', costText(power))}`;
    }),
    text(middle, HEIGHT - 12, 'middle', 'events in the log'),
    text(left - 55, top - 18, 'start', 'cost of an answer, median'),
  ];
}

/** What each kind of line means. */
function legend(): string[] {
  return Object.values(LINES).flatMap(({ dashes, means }, index) => {
    const at = PLOT.left + LEGEND.left + index * LEGEND.width;
    const path = `M${at},${LEGEND.top}h30`;
    return [
      `<path d="${path}" stroke="${GREY}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
      text(at + 36, LEGEND.top + 4, 'start', means),
    ];
  });
}

function line(
  { line: kind, points }: Series,
  [x, y]: readonly [Axis, Axis],
  colour: string,
): string[] {
  const places = points.map(([length, cost]) => [x.at(length), y.at(cost)] as const);
  const path = places.map(([px, py]) => `${px},${py}`).join(' ');
  const stroke = `stroke="${colour}" stroke-width="2" stroke-dasharray="${LINES[kind].dashes}"`;
  return [
    `<polyline points="${path}" fill="none" ${stroke}/>`,
    ...places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${colour}"/>`),
  ];
}

/** Of the series of a name, the one with the longest log. */
function longestOf(series: readonly Series[]): Series {
  const end = ({ points }: Series) => points.at(-1)?.[0] ?? 0;
  return series.reduce((one, other) => (end(other) > end(one) ? other : one));
}

/** The same heights, moved down as far as is needed for none to stand on another. */
function apart(heights: readonly number[]): number[] {
  const order = heights.map((height, index) => ({ height, index }));
  order.sort((a, b) => a.height - b.height);
  const moved: number[] = [];
  let least = -Infinity;
  for (const { height, index } of order) {
    least = Math.max(height, least + LINE_HEIGHT);
    moved[index] = least;
  }
  return moved;
}

const rule = (x1: number, y1: number, x2: number, y2: number) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${GREY}" stroke-opacity="0.3"/>`;

const text = (x: number, y: number, anchor: string, words: string, colour = GREY) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;

const lengthText = (power: number) =>
  power >= 6 ? `${10 ** (power - 6)}M` : power >= 3 ? `${10 ** (power - 3)}k` : `${10 ** power}`;

const costText = (power: number) =>
  power >= 3
    ? `${10 ** (power - 3)} s`
    : power >= 0
      ? `${10 ** power} ms`
      : `${10 ** (power + 3)} µs`;

const round = (value: number) => Math.round(value * 10) / 10;

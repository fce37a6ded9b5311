/** A row of bars, the same measurement on each side of a comparison. */
export interface Bars {
  /** a heading stands above the first row of each group */
  readonly group: string;
  readonly label: string;
  readonly values: readonly number[];
}

export interface BarChart {
  /** for readers that do not see the picture */
  readonly title: string;
  /** what the axis shows, with its unit */
  readonly axis: string;
  /** decimals of the figures at the bars */
  readonly digits: number;
  /** names of the sides, at most three */
  readonly legend: readonly string[];
  readonly rows: readonly Bars[];
}

/** Colours that are legible on a light and on a dark page; the picture itself has no background. */
export const THEMES = {
  light: { text: '#1f2328', grid: '#d1d9e0', sides: ['#0969da', '#8c959f', '#bf8700'] },
  dark: { text: '#e6edf3', grid: '#3d444d', sides: ['#58a6ff', '#768390', '#d29922'] },
} as const;
export type Theme = keyof typeof THEMES;

const [WIDTH, LEFT, RIGHT, TOP, BOTTOM] = [760, 150, 60, 34, 48];
const [BAR, GAP, HEADING, LEGEND] = [13, 10, 24, 180];

/** Horizontal bars as an SVG document: one for each side in each row, a scale from 0, a legend above. */
export function barChart({ title, axis, digits, legend, rows }: BarChart, theme: Theme): string {
  const { text: textColour, grid, sides } = THEMES[theme];
  const largest = Math.max(...rows.flatMap(({ values }) => values));
  const step = tickStep(largest);
  const end = step * Math.ceil(largest / step);
  const rowHeight = legend.length * BAR + GAP;
  const isFirst = (row: number) => rows[row]?.group !== rows[row - 1]?.group;
  const headings = rows.map((_, row) => rows.slice(0, row + 1).filter((_, index) => isFirst(index)).length);
  const yOf = (row: number) => TOP + row * rowHeight + (headings[row] ?? 0) * HEADING;
  const bottom = yOf(rows.length - 1) + rowHeight;
  const height = bottom + BOTTOM;
  const x = (value: number) => Math.round(LEFT + (value / end) * (WIDTH - LEFT - RIGHT));
  const text = (at: number, y: number, content: string, anchor = 'start') =>
    `<text x="${at}" y="${y}" text-anchor="${anchor}">${content}</text>`;
  const bar = (value: number, y: number, colour = '') =>
    `<rect x="${LEFT}" y="${y}" width="${x(value) - LEFT}" height="${BAR}" fill="${colour}"/>${text(x(value) + 5, y + 11, value.toFixed(digits))}`;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="${textColour}">`,
    `<title>${title}</title>`,
    ...ticks.map((tick) => `<path d="M${x(tick)} ${TOP}V${bottom}" stroke="${grid}"/>`),
    ...ticks.map((tick) => text(x(tick), bottom + 16, String(tick), 'middle')),
    text(x(end / 2), bottom + 36, axis, 'middle'),
    ...legend.map((name, side) => {
      const at = LEFT + side * LEGEND;
      return `<rect x="${at}" y="8" width="${BAR}" height="${BAR}" fill="${sides[side]}"/>${text(at + 18, 18, name)}`;
    }),
    ...rows.map(({ group, label, values }, row) => {
      const y = yOf(row) + GAP / 2;
      const bars = values.map((value, side) => bar(value, y + side * BAR, sides[side]));
      const heading = isFirst(row) ? `<g font-weight="bold">${text(LEFT - 8, y - 8, group, 'end')}</g>` : '';
      return [heading, text(LEFT - 8, y + (legend.length * BAR) / 2 + 4, label, 'end'), ...bars].join('');
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** 1, 2 or 5 times a power of ten, so that an axis has four to ten ticks. */
function tickStep(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(largest));
  return [0.1, 0.2, 0.5].map((share) => share * power).find((step) => largest / step <= 8) ?? power;
}

/** A row of bars, the same measurement on both sides of a comparison. */
export interface Bars {
  readonly label: string;
  readonly ours: number;
  readonly bound: number;
}

export interface BarChart {
  /** for readers that do not see the picture */
  readonly title: string;
  /** what the axis shows, with its unit */
  readonly axis: string;
  readonly ours: string;
  readonly bound: string;
  readonly rows: readonly Bars[];
}

/** Colours that are legible on a light and on a dark page; the picture itself has no background. */
export const THEMES = {
  light: { text: '#1f2328', grid: '#d1d9e0', ours: '#0969da', bound: '#8c959f' },
  dark: { text: '#e6edf3', grid: '#3d444d', ours: '#58a6ff', bound: '#768390' },
} as const;
export type Theme = keyof typeof THEMES;

const [WIDTH, LEFT, RIGHT, TOP, BOTTOM] = [760, 180, 60, 34, 48];
const [ROW, BAR] = [36, 13];

/** Horizontal bars as an SVG document: two for each row, a scale from 0, a legend above. */
export function barChart({ title, axis, ours, bound, rows }: BarChart, theme: Theme): string {
  const colours = THEMES[theme];
  const step = tickStep(Math.max(...rows.flatMap((row) => [row.ours, row.bound])));
  const end = step * Math.ceil(Math.max(...rows.flatMap((row) => [row.ours, row.bound])) / step);
  const [bottom, height] = [TOP + rows.length * ROW, TOP + rows.length * ROW + BOTTOM];
  const x = (value: number) => Math.round(LEFT + (value / end) * (WIDTH - LEFT - RIGHT));
  const text = (at: number, y: number, content: string, anchor = 'start') =>
    `<text x="${at}" y="${y}" text-anchor="${anchor}">${content}</text>`;
  const bar = (value: number, y: number, colour: string) =>
    `<rect x="${LEFT}" y="${y}" width="${x(value) - LEFT}" height="${BAR}" fill="${colour}"/>${text(x(value) + 5, y + 11, value.toFixed(0))}`;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="${colours.text}">`,
    `<title>${title}</title>`,
    ...ticks.map((tick) => `<path d="M${x(tick)} ${TOP}V${bottom}" stroke="${colours.grid}"/>`),
    ...ticks.map((tick) => text(x(tick), bottom + 16, String(tick), 'middle')),
    text(x(end / 2), bottom + 36, axis, 'middle'),
    `<rect x="${LEFT}" y="8" width="${BAR}" height="${BAR}" fill="${colours.ours}"/>${text(LEFT + 18, 18, ours)}`,
    `<rect x="${LEFT + 220}" y="8" width="${BAR}" height="${BAR}" fill="${colours.bound}"/>${text(LEFT + 238, 18, bound)}`,
    ...rows.map((row, index) => {
      const y = TOP + index * ROW;
      const bars = [bar(row.ours, y + 4, colours.ours), bar(row.bound, y + 4 + BAR, colours.bound)];
      return [text(LEFT - 8, y + 21, row.label, 'end'), ...bars].join('');
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

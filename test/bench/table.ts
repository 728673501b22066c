import type { Figure, Report } from './workload';

const digits: Readonly<Record<Figure['unit'], number>> = { ms: 0, x: 2, KiB: 0, MB: 0, '%': 1, waits: 0 };

/** A report as text, at most 80 columns. */
export function table(title: string, report: Report): string {
  const heading = wrap(title, 78);
  if ('skipped' in report)
    return `${heading}\n${wrap(`skipped: ${report.skipped}`, 76).replace(/^/gm, '  ')}`;
  const rows = report.figures.map((figure) => [
    figure.name,
    show(figure.value, figure),
    figure.range ? `${number(figure.range[0], figure)}-${number(figure.range[1], figure)}` : '',
    figure.target === undefined ? '' : verdict(figure.value, figure.target, figure),
  ]);
  const header = [`median of ${report.runs}`, 'value', 'range', 'target'];
  const widths = [38, 10, 13, 13];
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0
          ? cell.slice(0, widths[column]).padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join(' ')
      .trimEnd();
  const rule = '-'.repeat(77);
  return [heading, line(header), rule, ...rows.map(line)].join('\n');
}

export function verdict(value: number, target: number, figure: Figure): string {
  return `<= ${show(target, figure)} ${value <= target ? 'ok' : 'MISS'}`;
}

function number(value: number, { unit }: Figure): string {
  return value.toFixed(digits[unit]);
}

export function show(value: number, figure: Figure): string {
  return `${number(value, figure)} ${figure.unit}`;
}

function wrap(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

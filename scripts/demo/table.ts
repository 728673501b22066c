/** Tables for people: plain text in columns. */

/** Columns as wide as their widest cell; text to the left where `left` says so, numbers to the right. */
export function aligned(
  rows: readonly (readonly string[])[],
  left: ReadonlySet<number> = new Set(),
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(' ')
      .trimEnd(),
  );
}

/** At most four characters. */
export function compact(count: number): string {
  if (count < 10_000) return String(count);
  return count < 999_500 ? `${Math.round(count / 1e3)}k` : `${Math.round(count / 1e6)}M`;
}

// A table in Markdown.

/**
 * Formats a table in Markdown, as `deno fmt` does.
 *
 * @param rows The cells of each row; those of the first are the headings.
 * @returns The lines of the table, without a line end at its end.
 */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")
    } |`;
  return [
    line(rows[0]!),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.slice(1).map(line),
  ].join("\n");
}

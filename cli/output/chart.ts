const BLOCKS = "▁▂▃▄▅▆▇█";

/**
 * A chart of one line: a block for each value, or for the mean of some where there are more values
 * than columns. Heights are in proportion to the largest value; nothing is as low as zero.
 *
 * @param values oldest first; not finite is a gap
 * @param width in columns
 */
export function spark(values: readonly number[], width: number): string {
  if (values.length === 0 || width < 1) return "";
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, column) => {
    const part = values
      .slice(
        Math.floor((column * values.length) / columns),
        Math.floor(((column + 1) * values.length) / columns),
      )
      .filter(Number.isFinite);
    return part.length === 0 ? Number.NaN : part.reduce((sum, each) => sum + each, 0) / part.length;
  });
  const most = Math.max(...means.filter(Number.isFinite), 0);
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return " ";
      const step = most === 0 ? 0 : Math.round((mean / most) * (BLOCKS.length - 1));
      return BLOCKS[step] ?? " ";
    })
    .join("");
}

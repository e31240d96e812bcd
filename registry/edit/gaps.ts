import { same } from "./values.ts";

export interface Gap {
  /** Elements of the old list that are not in the new one. */
  from: number;
  to: number;
  /** What is in their place. */
  items: unknown[];
}

/** Where two lists differ, the longest common sequence of theirs left alone. */
export function gaps(current: readonly unknown[], wanted: readonly unknown[]): Gap[] {
  const [n, m] = [current.length, wanted.length];
  // lengths[i][j]: of the longest common sequence of what follows i and j.
  const lengths = Array.from({ length: n + 1 }, () => new Array<number>(m + 1).fill(0));
  const length = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  const equal = (i: number, j: number) => same(current[i], wanted[j]);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const best = equal(i, j)
        ? length(i + 1, j + 1) + 1
        : Math.max(length(i + 1, j), length(i, j + 1));
      (lengths[i] as number[])[j] = best;
    }
  }
  const found: Gap[] = [];
  let open: Gap | undefined;
  for (let i = 0, j = 0; i < n || j < m; ) {
    if (i < n && j < m && equal(i, j) && length(i, j) === length(i + 1, j + 1) + 1) {
      open = undefined;
      i++;
      j++;
      continue;
    }
    if (!open) {
      open = { from: i, to: i, items: [] };
      found.push(open);
    }
    if (j >= m || (i < n && length(i + 1, j) >= length(i, j + 1))) open.to = ++i;
    else open.items.push(wanted[j++]);
  }
  return found;
}

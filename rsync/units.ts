const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size as people read it, such as `1.5 GiB`. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

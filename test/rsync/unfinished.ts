import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const MB = Buffer.alloc(1 << 20, "0123456789abcdef");

/** Some large files and many small ones. */
export function fill(folder: string, megabytes = 8, files = 300): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < megabytes; i++) writeFileSync(join(folder, `big-${i}`), MB);
  for (let i = 0; i < files; i++) writeFileSync(join(folder, `small-${i}`), `small ${i}`);
}

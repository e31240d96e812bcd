import { readFileSync } from "node:fs";
import { execa } from "execa";

/** Mount points below a folder (itself included), innermost first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

/** Mounts; throws with the reason of mount(8). */
export async function mount(...args: string[]): Promise<void> {
  await execa("mount", ["--no-mtab", ...args]);
}

/** Unmounts all below a folder, in use or not. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) await execa("umount", ["--lazy", point]);
}

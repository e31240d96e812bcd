import { ensureLxcfs } from "./lxcfs.ts";
import { rigFolder } from "./place.ts";

/**
 * Once, before all live tests. What they leave is not taken down here: the machine ends with the
 * process that runs them, however that one ends.
 */
export default async function setup(): Promise<void> {
  rigFolder();
  await ensureLxcfs();
}

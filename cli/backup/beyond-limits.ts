// What stands between a repository and its mirror, for one who may say: all the same.

import { printable } from "../../registry/text.ts";
import { type BackupSpec, pending } from "../../rsync/index.ts";
import { note } from "../output/say.ts";

export interface Beyond {
  /** By project, how many entries would be deleted on its copy. */
  deletions: Map<string, number>;
  /** Whether there is anything that somebody has to agree with. */
  asks: boolean;
}

/**
 * Shows what a mirror run would delete on the copies, and why it would refuse.
 *
 * @param options.noDelete as for `mirror`: then only a repository that has shrunk is shown
 */
export async function showBeyond(
  specs: readonly BackupSpec[],
  { noDelete, checksum }: { noDelete: boolean; checksum: boolean | undefined },
): Promise<Beyond> {
  const beyond: Beyond = { deletions: new Map(), asks: false };
  for (const spec of specs) {
    const found = await pending(spec, { noDelete, checksum });
    // The run itself will say what is wrong.
    if (!found.ok) continue;
    beyond.deletions.set(spec.name, found.deletions);
    if (found.deletions === 0 && !found.refused) continue;
    beyond.asks = true;
    if (found.refused) note(`${spec.name}: ${printable(found.refused.reason)}`);
    if (found.deletions === 0) continue;
    const more = found.deletions - found.deleting.length;
    const list = [...found.deleting, ...(more > 0 ? [`and ${more} more`] : [])];
    const entries = found.deletions === 1 ? "entry" : "entries";
    note(
      `${spec.name}: ${found.deletions} ${entries} would be deleted on the copy:\n  ` +
        list.map(printable).join("\n  "),
    );
  }
  return beyond;
}

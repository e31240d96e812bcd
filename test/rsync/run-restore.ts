import { restore } from "../../rsync/restore.ts";

/**
 * A process whose only work is one restore, for tests to kill: prints `copying` when the first
 * bytes are about to move.
 *
 *     node run-restore.ts <spec as JSON> <folder to restore into>
 */
const [, , spec = "", to = ""] = process.argv;
await restore(JSON.parse(spec), {
  to,
  onProgress: ({ phase }) => {
    if (phase === "copying") console.log("copying");
  },
});

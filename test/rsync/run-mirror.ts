import { mirror } from "../../rsync/index.ts";

/**
 * A process whose only work is one mirror run, for tests to kill: prints `begun` at its beginning,
 * then each phase as it comes to it, and the record at the end.
 *
 *     node run-mirror.ts <spec as JSON> [<options as JSON>]
 */
const [, , spec = "", options = "{}"] = process.argv;
let last = "";
console.log("begun");
const record = await mirror(JSON.parse(spec), {
  ...JSON.parse(options),
  onProgress: ({ phase }) => {
    if (phase !== last) console.log(phase);
    last = phase;
  },
});
console.log(JSON.stringify(record));

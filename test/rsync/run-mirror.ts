import { mirror } from "../../rsync/index.ts";

/**
 * A process whose only work is one mirror run, for tests to kill: prints `begun` at its beginning,
 * `copying` when the first bytes move, and the record at the end.
 *
 *     node run-mirror.ts <spec as JSON> [<options as JSON>]
 */
const [, , spec = "", options = "{}"] = process.argv;
let told = false;
console.log("begun");
const record = await mirror(JSON.parse(spec), {
  ...JSON.parse(options),
  onProgress: ({ phase }) => {
    if (phase !== "copying" || told) return;
    told = true;
    console.log("copying");
  },
});
console.log(JSON.stringify(record));

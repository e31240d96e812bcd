// `npm test`: sets up what is missing, then runs every test in a machine of its own (test/rig).
// What follows `--` goes to vitest: `npm test -- test/registry`. The last line counts.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { paths } from "../host/paths.js";
import { imageFolder, prepareImage } from "./image/index.js";
import { runInMachine } from "./machine.js";
import { asCommand } from "./setup.js";
import { ROOT } from "./toolchain.js";

const args = process.argv.slice(2);
const { env } = process;

await asCommand(() =>
  runInMachine({
    script: fileURLToPath(import.meta.url),
    args,
    env,
    purpose: "A machine of its own for the tests",
    prepare: (progress) =>
      progress.during("Image of a system for the tests", () =>
        prepareImage({ paths: paths(env), progress }),
      ),
    // The image is finished in there: once, like the rest of the set-up.
    write: [imageFolder(paths(env))],
    command: [join(ROOT, "test/rig/run-vitest.js"), ...args],
  }),
);

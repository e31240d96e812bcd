import { availableParallelism, totalmem } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * Two kinds of test. `*.live.test.ts` needs the private machine of test/rig, with root, Incus and
 * mounts; every other one runs anywhere:
 *
 *     npm test                                    both, in the private machine
 *     npx vitest run --project unit               the quick ones, as any user
 *     node test/rig/enter.js -- npx vitest run --configLoader native test/engine/drift.live.test.ts
 */
const LIVE = "test/**/*.live.test.ts";
// These look at the whole machine that they run in, so nothing may go on beside them.
const ALONE = "test/rig/{enter,sudo}.live.test.ts";

const cores = availableParallelism();
// A live file has a daemon, some containers and a Pulumi run at work: about a gigabyte. It waits for
// almost half of its time: for disks, for the network, for what does not answer.
const live = Math.max(1, Math.min(cores * 2, Math.floor(totalmem() / 2 ** 31)));

export default defineConfig({
  test: {
    // Nothing is written beside the code; in the private machine it is read-only.
    cache: false,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [LIVE],
          // No test asserts on a clock; this only ends one that hangs, however busy the machine.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
          maxWorkers: cores,
        },
      },
      {
        test: {
          name: "live",
          include: [LIVE],
          exclude: [ALONE],
          globalSetup: ["test/rig/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // A daemon, a kernel and two cores that others use as well: what fails twice is broken.
          retry: 1,
          sequence: { groupOrder: 1 },
          maxWorkers: live,
        },
      },
      {
        test: {
          name: "alone",
          include: [ALONE],
          globalSetup: ["test/rig/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
        },
      },
    ],
  },
});

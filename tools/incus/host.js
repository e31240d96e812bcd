import { readFileSync } from "node:fs";
import { EXIT, Fault } from "../../host/fault.js";
import { asRoot, lastWords } from "./process.js";

/** Instances of inotify(7) per user; every container's systemd takes several of the one user's. */
const INOTIFY_INSTANCES = 1024;
const INOTIFY_KEY = "/proc/sys/fs/inotify/max_user_instances";

/**
 * What a service manager's host has at boot and this one may lack.
 * @throws {Fault} (exit 3) when containers cannot run here at all
 */
export async function prepareHost() {
  await provideCgroups();
  if (Number(readFileSync(INOTIFY_KEY, "utf8")) < INOTIFY_INSTANCES) {
    // The value that the distribution's package sets at boot. Without it some twenty containers
    // run, so being refused is not a reason to stop.
    await asRoot(["tee", INOTIFY_KEY], "Raising a kernel limit", {
      input: `${INOTIFY_INSTANCES}\n`,
    });
  }
}

/** Mounts the control groups where nothing has. */
async function provideCgroups() {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").map(parseMount);
  const groups = mounts.filter(({ type }) => type === "cgroup" || type === "cgroup2");
  if (groups.length === 0) {
    const purpose = "Mounting control groups";
    const finished = await asRoot(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], purpose);
    if (finished.code === 0) return;
    throw new Fault(
      `Containers need control groups, and mounting them failed: ${lastWords(finished)}`,
      {
        remedy: "run repoman on a machine, or in a container that may mount (privileged)",
        exitCode: EXIT.environment,
      },
    );
  }
  if (groups.every(({ options }) => options.split(",").includes("ro"))) {
    throw new Fault("Control groups are mounted read-only here, so no container can be started", {
      remedy: "this looks like an unprivileged container: run repoman on the machine around it",
      exitCode: EXIT.environment,
    });
  }
}

/** @param {string} line of /proc/self/mountinfo */
function parseMount(line) {
  const [left = "", right = ""] = line.split(" - ");
  return { type: right.split(" ")[0] ?? "", options: left.split(" ")[5] ?? "" };
}

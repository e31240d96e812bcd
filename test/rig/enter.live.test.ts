import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { type Running, run, start } from "./command.ts";
import { PROJECT } from "./copy.ts";
import { until } from "./place.ts";
import { signal } from "./processes.ts";

// Each of these machines is made inside the one that runs the tests.
const enter = (...command: string[]) => [
  process.execPath,
  join(PROJECT, "test/rig/enter.js"),
  "--",
  ...command,
];
const RUNS = "/run/repoman-test";
const runs = () => (existsSync(RUNS) ? readdirSync(RUNS) : []);

async function traces() {
  const { stdout: cgroups } = await execa("find", ["/sys/fs/cgroup", "-name", "repoman-test.*"]);
  const { stdout: links } = await execa("ip", ["-brief", "link"]);
  return {
    cgroups: cgroups.split("\n").filter(Boolean),
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length,
    links: links.split("\n").map((line) => line.split(/[ @]/)[0]),
    accounts: ["passwd", "group", "shadow", "subuid", "subgid"].map((file) =>
      readFileSync(join("/etc", file), "utf8"),
    ),
    runs: runs(),
  };
}

async function up(): Promise<Running> {
  const fixture = join(PROJECT, "test/rig/fixtures/estate.ts");
  const machine = start(enter(process.execPath, fixture));
  await machine.printed("everything is up", 60_000);
  for (const program of ["incusd", "dnsmasq", "lxcfs", "/sbin/init", "sleep"]) {
    expect(find(machine, program), program).toBeGreaterThan(0);
  }
  return machine;
}

/** The kernel lets go of a loop device a moment after its last mount; others' come and go. */
async function gone(machine: Running) {
  const [, image = ""] = /everything is up: (\S+)/.exec(machine.output) ?? [];
  expect(image).not.toBe("");
  await until("all of its processes to go", () => machine.processes().length === 0);
  await until("its loop device to go", async () => {
    const { stdout } = await execa("losetup", ["--list", "--output", "BACK-FILE"]);
    return !stdout.includes(image);
  });
}

const find = (machine: Running, part: string) =>
  machine.processes().find(({ argv }) => argv.some((one) => one.endsWith(part)))?.pid ?? -1;

describe.sequential("the private machine", () => {
  test("gives the command's own exit code", async () => {
    const { exitCode, all } = await run(enter("sh", "-c", "echo $$; exit 42"));
    expect({ exitCode, all }).toEqual({ exitCode: 42, all: expect.stringMatching(/^\d+\n$/) });
  });

  test("hides what is the user's and lets nothing else be written to", async () => {
    const script = `
      echo "$HOME"; ls -A /home /root /tmp; echo ${PROJECT}/*.json
      for place in /usr ${PROJECT} /var/lib /opt; do touch "$place/x" && echo "wrote $place"; done
      touch /etc/x ~/x /tmp/x /run/x && rm /etc/passwd && echo private
      env | grep -E '^(INCUS|PULUMI|XDG)_'; ip -brief link
    `;
    const { stdout } = await run(enter("sh", "-c", script), {
      env: { ...process.env, INCUS_DIR: "/x", PULUMI_HOME: "/x", XDG_STATE_HOME: "/x" },
    });
    expect(stdout).toContain("/root\n");
    expect(stdout).toContain("package.json");
    expect(stdout).toContain("private");
    expect(stdout).not.toMatch(/^wrote|_HOME|INCUS/m);
    expect(stdout.match(/^\w+ /gm)).toEqual(["lo "]);
    expect(existsSync("/etc/passwd")).toBe(true);
  });

  test.each([
    ["its first process is killed", "init.sh", "SIGKILL", undefined],
    ["it is asked to end", "enter.js", "SIGTERM", 143],
    ["it is interrupted and its command does not listen", "enter.js", "SIGINT", 130],
  ] as const)("leaves nothing when %s", async (_, who, name, code) => {
    const before = await traces();
    const machine = await up();
    signal(who === "enter.js" ? machine.pid : find(machine, who), name);
    const { exitCode } = await machine.done;
    if (code) expect(exitCode).toBe(code);
    else expect(exitCode).not.toBe(0);
    await gone(machine);
    expect(await traces()).toEqual(before);
  });

  test("leaves nothing at work when whoever entered it is killed, and the next one cleans up", async () => {
    const before = await traces();
    const machine = await up();
    machine.kill("SIGKILL");
    await gone(machine);
    const after = await traces();
    expect({ ...after, runs: before.runs, cgroups: before.cgroups }).toEqual(before);
    expect(after.runs).toHaveLength(before.runs.length + 1);
    expect((await run(enter("true"))).exitCode).toBe(0);
    expect(await traces()).toEqual(before);
  });

  test("ends when npm, which started it, is killed", async () => {
    const script = '"$@"; exit $?';
    const npm = start(["sh", "-c", script, "sh", ...enter("sh", "-c", "echo up; sleep 3600")], {
      env: { ...process.env, npm_lifecycle_event: "test" },
    });
    await npm.printed("up");
    npm.kill("SIGKILL");
    await npm.done;
    await until("all of its processes to go", () => npm.processes().length === 0);
    expect(runs()).toEqual([]);
  });

  test("is left alone by another one's clean-up while it lives", async () => {
    const machine = start(enter("sh", "-c", "echo up; sleep 3600"));
    await machine.printed("up");
    expect((await run(enter("true"))).exitCode).toBe(0);
    expect(runs()).toHaveLength(1);
    expect(machine.processes().some(({ argv }) => argv[0] === "sleep")).toBe(true);
    machine.kill("SIGTERM");
    await machine.done;
    expect(runs()).toEqual([]);
  });

  test("is refused with a reason to a user who cannot become root", async () => {
    const command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    const { exitCode, stderr } = await run([...command, ...enter("true")]);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/as root, or allow this user `sudo`/);
  });
});

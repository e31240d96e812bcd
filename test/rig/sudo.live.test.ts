import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandOptions, start } from "./command.ts";
import { copyProject } from "./copy.ts";
import { unmountBelow } from "./mounts.ts";
import { until } from "./place.ts";
import { asUser, makeUser, type User } from "./users.ts";
import { isAlive } from "./watch.js";

let user: User;
let project: string;
const enter = (script: string, options?: CommandOptions) => {
  const command = [process.execPath, join(project, "test/rig/enter.js"), "--", "sh", "-c", script];
  const env = { HOME: user.home, PATH: process.env.PATH, SECRET: "hush" };
  return start([...asUser(user), ...command], { cwd: user.home, env, ...options });
};

beforeAll(async () => {
  user = await makeUser("sudoer", []);
  project = join(user.home, "private/repoman");
  mkdirSync(join(user.home, "private"), { mode: 0o700 });
  await copyProject(project, user);
  chownSync(join(user.home, "private"), user.uid, user.gid);
  writeFileSync(`/etc/sudoers.d/${user.name}`, `${user.name} ALL=(ALL) NOPASSWD: ALL\n`, {
    mode: 0o440,
  });
});
afterAll(() => unmountBelow(project));

describe("a user who may become root without a password", () => {
  test("enters the private machine as root, with the environment and none of it in arguments", async () => {
    const running = enter(
      `id -u; echo "$HOME $SECRET"; ls ${project}/package.json; sleep 1; exit 7`,
    );
    await running.printed("package.json");
    expect(running.processes().some(({ argv }) => argv.join().includes("hush"))).toBe(false);
    const { exitCode, stdout } = await running.done;
    expect(stdout).toBe(`0\n/root hush\n${project}/package.json\n`);
    expect(exitCode).toBe(7);
  });

  test.each([
    ["is killed", "SIGKILL", 137],
    ["is asked to end", "SIGTERM", 143],
  ] as const)("leaves nothing at work when their command %s", async (_, signal, code) => {
    const running = enter("setsid --fork sleep 3600; echo up; sleep 3600");
    await running.printed("up");
    const [, ...others] = running.processes();
    expect(others.filter(({ name }) => name === "sleep")).toHaveLength(2);
    running.kill(signal);
    expect((await running.done).exitCode).toBe(code);
    // sudo takes our mark out of the environment: these are known by number and start.
    await until("all of its processes to go", () => !others.some(isAlive));
  });
});

import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { paths as hostPaths } from "../../host/paths.js";
import { Api } from "../../tools/incus/api.js";
import { stop } from "../../tools/incus/daemon.js";
import { incusEnv } from "../../tools/incus/endpoint.js";
import { daemonFolder } from "../../tools/incus/folder.js";
import { incusStep } from "../../tools/incus/setup.js";
import { ensureSubIds, readLent, takeBackSubIds } from "../../tools/incus/subids.js";
import { run } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { mountsBelow, unmountBelow } from "../rig/mounts.ts";
import { killAll, processesWith } from "../rig/processes.ts";
import { asUser, makeUser, type User } from "../rig/users.ts";
import { addressOf, launch, person } from "./own.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const SETUP = path("tools/incus/setup.js");
const DAEMON = path("tools/incus/daemon.js");
const PATHS = path("host/paths.js");

/** Runs the step as a user of the machine, without a terminal. */
function stepAs(user: User, env: NodeJS.ProcessEnv) {
  const program = `
    const { incusStep } = await import(process.argv[1]);
    const progress = { step: (text) => console.log(text) };
    await incusStep.run({ progress }).catch((error) => {
      console.log(error.message);
      process.exitCode = error.exitCode ?? 70;
    });`;
  return run([...asUser(user), process.execPath, "--input-type=module", "--eval", program, SETUP], {
    env: { PATH: process.env.PATH, HOME: user.home, USER: user.name, ...env },
  });
}

/** Starts or stops repoman's own daemon as that user. */
function actAs(user: User, action: "start" | "stop") {
  const program = `
    const daemon = await import(process.argv[1]);
    const { paths } = await import(process.argv[2]);
    const progress = { step: (text) => console.log(text) };
    console.log(await daemon[process.argv[3]]({ paths: paths(), env: process.env, progress }));`;
  return run(
    [
      ...asUser(user),
      process.execPath,
      "--input-type=module",
      "--eval",
      program,
      DAEMON,
      PATHS,
    ].concat(action),
    { env: { PATH: process.env.PATH, HOME: user.home, USER: user.name } },
  );
}

let shared: Promise<Daemon> | undefined;
const daemon = () => {
  shared ??= startDaemon();
  return shared;
};
afterAll(async () => (await shared)?.dispose());

describe("set-up where no service manager runs and no daemon is", () => {
  test("makes a daemon on which containers have addresses, and then has nothing to do", async () => {
    const { context, paths, env, steps } = person();
    expect(await incusStep.ready(context)).toBe(false);
    await incusStep.run(context);
    expect(steps.length).toBeGreaterThan(2);
    expect(incusEnv(paths, env)).toEqual({ INCUS_DIR: join(paths.stateDir, "incus") });
    const socket = join(paths.stateDir, "incus/unix.socket");
    await launch(socket, "one");
    await addressOf(socket, "one");

    expect(await incusStep.ready(context)).toBe(true);
    const before = steps.length;
    await incusStep.run(context);
    expect(steps).toHaveLength(before);
  });
});

describe("set-up as an ordinary user", () => {
  test("uses a daemon that lets members of its group in, and names what only root can do", async () => {
    const { env } = await daemon();
    const user = await makeUser("member", ["incus-admin"]);
    const { exitCode, stdout } = await stepAs(user, env);
    expect(exitCode, stdout).toBe(3);
    expect(stdout).toContain(`--add-subuids ${user.uid}-${user.uid}`);
    expect(stdout).toContain(`--add-subgids ${user.gid}-${user.gid}`);

    await ensureSubIds({ uid: user.uid, gid: user.gid, progress: { step: () => {} } });
    expect(await stepAs(user, env)).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("is told how to be let in", async () => {
    const { env } = await daemon();
    const user = await makeUser("stranger", []);
    const { exitCode, stdout } = await stepAs(user, env);
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`usermod -aG incus-admin ${user.name}`);
  });

  test("is told that the restricted socket is not enough", async () => {
    const user = await makeUser("limited", ["incus"]);
    const folder = join(user.home, "incus");
    mkdirSync(folder);
    for (const [name, mode] of [
      ["unix.socket", 0o600],
      ["unix.socket.user", 0o666],
    ] as const) {
      writeFileSync(join(folder, name), "");
      chmodSync(join(folder, name), mode);
    }
    const { exitCode, stdout } = await stepAs(user, { INCUS_DIR: folder });
    expect(exitCode).toBe(3);
    expect(stdout).toContain("restricted socket");
  });

  test("starts a daemon through sudo, and takes it down again", async () => {
    const user = await makeUser("sudoer", ["incus-admin"]);
    const rule = `/etc/sudoers.d/${user.name}`;
    writeFileSync(rule, `${user.name} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
    chmodSync(user.home, 0o700);
    const paths = hostPaths({ HOME: user.home });
    const socket = join(paths.stateDir, "incus/unix.socket");
    const context = { paths, env: { PATH: process.env.PATH }, progress: { step: () => {} } };
    onTestFinished(async () => {
      await stop(context, { timeoutSeconds: 5 }).catch(() => {});
      await killAll(() => processesWith(`INCUS_DIR=${daemonFolder(paths)}`));
      await unmountBelow(daemonFolder(paths));
      rmSync(rule);
    });
    expect(await stepAs(user, {})).toMatchObject({ exitCode: 0 });
    // What is remembered of it is the user's.
    expect(statSync(join(paths.stateDir, "incus.json")).uid).toBe(user.uid);
    await launch(socket, "one");
    await addressOf(socket, "one");
    const stopped = await actAs(user, "stop");
    expect(stopped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("default/one") });
    expect(mountsBelow(daemonFolder(paths))).toEqual([]);
  });

  test("cannot start a daemon, and is told what sudo would have to allow", async () => {
    const user = await makeUser("alone", ["incus-admin"]);
    const { exitCode, stdout } = await stepAs(user, {});
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/needs root/);
    expect(stdout).toMatch(/sudo/);
  });
});

describe("set-up of a server without a root disk in its default profile", () => {
  test("says so, and changes nothing", async () => {
    const bare = await startDaemon({ bare: true });
    onTestFinished(() => bare.dispose());
    const api = new Api(bare.socket);
    await api.post("/1.0/storage-pools", { name: "mine", driver: "dir", config: {} });
    const { context, env, steps } = person();
    const named = { ...context, env: { ...env, ...bare.env }, paths: hostPaths(env) };
    await incusStep.run(named);
    expect(steps.join("\n")).toContain(
      "incus profile device add default root disk path=/ pool=mine",
    );
    expect(await incusStep.ready(named)).toBe(true);
    expect((await api.get("/1.0/profiles/default")).devices).toEqual({});
  });
});

describe("lending ids to containers", () => {
  /** A root folder with as much of /etc as usermod looks at. */
  async function rootFolder() {
    const { home } = person();
    mkdirSync(join(home, "etc"));
    for (const name of ["passwd", "group", "shadow", "gshadow", "login.defs"]) {
      const text = await run(["cat", `/etc/${name}`]);
      writeFileSync(join(home, "etc", name), text.stdout);
    }
    return home;
  }

  test("adds what is missing once, keeps the rest as it was, and says why", async () => {
    const root = await rootFolder();
    const before = "# ours\nalice:100000:65536\nroot:1000000:1000000000\n";
    for (const name of ["subuid", "subgid"]) {
      writeFileSync(join(root, "etc", name), before);
      chownSync(join(root, "etc", name), 0, 0);
    }
    const steps: string[] = [];
    const progress = { step: (text: string) => void steps.push(text) };
    const options = { uid: 1234, gid: 1235, owners: [{ uid: 0, gid: 1235 }], progress, root };
    expect(await ensureSubIds(options)).toBe(true);
    expect(readFileSync(join(root, "etc/subuid"), "utf8")).toBe(`${before}root:1234:1\n`);
    expect(readFileSync(join(root, "etc/subgid"), "utf8")).toBe(`${before}root:1235:1\n`);
    expect(steps).toHaveLength(2);
    expect(steps[0]).toContain("uid 1234 of this machine");
    expect(await ensureSubIds(options)).toBe(false);
    expect(steps).toHaveLength(2);
  });

  test("notes the ids that it lends, and takes back those and no others", async () => {
    const root = await rootFolder();
    const before = "root:1000000:1000000000\nroot:77:1\n";
    for (const name of ["subuid", "subgid"]) writeFileSync(join(root, "etc", name), before);
    const record = join(root, "lent.json");
    const options = { uid: 1234, gid: 1235, progress: { step: () => {} }, root, record };
    await ensureSubIds(options);
    await ensureSubIds({ ...options, owners: [{ uid: 77, gid: 77 }] });
    expect(readLent(record)).toEqual([
      { kind: "uid", id: 1234 },
      { kind: "gid", id: 1235 },
    ]);
    // One of them somebody has removed by hand.
    writeFileSync(join(root, "etc/subgid"), before);
    expect(await takeBackSubIds(record, { root })).toEqual([
      `root:1234:1 in ${join(root, "etc/subuid")}`,
    ]);
    for (const name of ["subuid", "subgid"]) {
      expect(readFileSync(join(root, "etc", name), "utf8")).toBe(before);
    }
    expect(await takeBackSubIds(record, { root })).toEqual([]);
  });

  test("makes the files where there are none, with root's own range", async () => {
    const root = await rootFolder();
    await ensureSubIds({ uid: 1234, gid: 1234, progress: { step: () => {} }, root });
    for (const name of ["subuid", "subgid"]) {
      const lines = readFileSync(join(root, "etc", name), "utf8")
        .trim()
        .split("\n")
        .sort();
      expect(lines).toEqual(["root:1000000:1000000000", "root:1234:1"]);
    }
  });
});

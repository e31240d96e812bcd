// One project's life by commands: made, disabled, renamed, removed; and each of it finished by
// running it again where it was cut off.

import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  expectNoChanges,
  instance,
  instanceNames,
  outputs,
  repoman,
  Shared,
  STACK,
} from "../engine/estate.ts";
import { soon } from "../engine/moments.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { KEY, openTerminal } from "./terminal.ts";

const shared = new Shared({ images: ["busybox"], repos: ["web", "work/api", "spare"] });
let daemon: Daemon;
let host: Host;

beforeAll(() => {
  ({ daemon, host } = shared);
  const { uid, gid } = host.user;
  chownSync(join(host.reposRoot, "work"), uid, gid);
  host.writeRegistry({});
});

const config = (path: string) => join(host.home, ".config/repoman", path);
const registry = () => readFileSync(config("repoman.toml"), "utf8");
const record = (name: string) => join(host.home, ".local/state/repoman/backups", `${name}.json`);

test("what set-up wrote is what npm start brings up, before there is any project", async () => {
  onTestFinished(() => void host.writeRegistry({}));
  rmSync(config("repoman.toml"));
  await repoman(host, 0, "setup", "--non-interactive");
  const env = { PULUMI_STACK: STACK };
  // A machine without a network of its own, or a disk for backups.
  expect(registry()).toContain('\nlan_ip = ""\n');
  expect(registry()).not.toMatch(/^backup_root/m);
  const { exitCode, all } = await host.run(["node", "tools/start.js", "--skip-preview"], { env });
  expect(exitCode, all).toBe(0);
  expect(all).toContain("No containers to tell of; `bin/repoman new` makes one.\n");
  const { metadata } = await daemon.api("GET", "/1.0/projects?recursion=1");
  expect(metadata.map(({ name }: { name: string }) => name)).toEqual(["default", "repoman"]);
});

describe.sequential("new", () => {
  test("says what stands in the way before anything changes", async () => {
    const before = registry();
    const refusals: [number, RegExp, ...string[]][] = [
      [2, /the name "two words" has characters that Incus refuses/, "two words"],
      [4, /there is no repository at ".*\/absent"\n.*--create.*--clone/, "absent"],
      [
        4,
        /asks for the profile "nope".*\n(.*\n)*.*repoman profile install nope/,
        "web",
        "--profile",
        "nope",
      ],
      [2, /the mount "x" is not understood/, "web", "--mount", "x"],
      [4, /"\/absent", mounted at "\/x", is not there/, "web", "--mount", "/absent:/x"],
      [2, /is not below repos_root/, "web", "--repo", "/etc"],
      [
        2,
        /would not be sound with that.*\n.*is no image|contains white space/,
        "web",
        "--image",
        "a b",
      ],
      [2, /needs to be told a name/],
      [2, /makes the container "web", and there is no terminal to ask at\n +Add --yes/, "web"],
    ];
    for (const [code, message, ...args] of refusals) {
      const { all } = await repoman(host, code, "new", ...args);
      expect(all, args.join(" ")).toMatch(message);
    }
    expect(registry()).toBe(before);
    expect(await instanceNames(daemon)).toEqual([]);
  });

  test("shows it, writes the entry, and brings up that project alone", async () => {
    await repoman(host, 0, "new", "later", "--repo", "spare", "--no-up");
    const { stderr, stdout } = await repoman(
      host,
      0,
      "new",
      "web",
      "--env",
      "GREETING=hello there",
      "--mount",
      "/usr/share:/opt/share:ro",
      "--yes",
    );
    expect(stderr).toContain('The container "web":');
    expect(stderr).toMatch(/ {2}mount +\/usr\/share → \/opt\/share, read-only\n/);
    expect(stderr).toMatch(/ {2}user +dev\w* \(\d+:\d+\)\n/);
    expect(stdout).toBe("Made web. Work in it: bin/repoman shell web\n");
    expect(await instanceNames(daemon)).toEqual(["web"]);
    expect((await instance(daemon, "web")).config["environment.GREETING"]).toBe("hello there");
    expect(registry()).toMatch(/created = "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/);
    const again = await repoman(host, 4, "new", "WEB", "--yes");
    expect(again.all).toMatch(/there is a project "web" already/);
    const other = await repoman(host, 4, "new", "web2", "--repo", "web", "--yes");
    expect(other.all).toMatch(/is the project "web"'s already/);
  });

  test("makes a repository, or clones one whole or not at all", async () => {
    const url = `file://${join(host.reposRoot, "web")}`;
    const failed = await repoman(host, 1, "new", "copy", "--clone", `${url}-not`, "--no-up");
    expect(failed.all).toMatch(/git could not clone/);
    expect(registry()).not.toContain("copy");
    // What begins with a hyphen is an address all the same.
    await repoman(host, 1, "new", "copy", "--clone=--upload-pack=touch pwned", "--no-up");
    expect(existsSync(join(host.project, "pwned"))).toBe(false);
    await repoman(host, 0, "new", "copy", "--repo", "work/copy", "--clone", url, "--no-up");
    expect(existsSync(join(host.reposRoot, "work/copy/README.md"))).toBe(true);
    await repoman(host, 0, "new", "fresh", "--create", "--no-up");
    expect(existsSync(join(host.reposRoot, "fresh/.git"))).toBe(true);
    for (const name of ["copy", "fresh"]) await repoman(host, 0, "remove", name, "--yes");
  });

  test("keeps the entry where up fails, and says how to go on", async () => {
    await importImages(daemon, ["broken"]);
    const { all } = await repoman(
      host,
      1,
      "new",
      "api",
      "--repo",
      "work/api",
      "--image",
      "broken",
      "--yes",
    );
    expect(all).toMatch(/go on: bin\/repoman up api\nOr take it back: bin\/repoman remove api/);
    expect(registry()).toContain('name = "api"');
    await repoman(host, 0, "remove", "api", "--yes");
    expect(await instanceNames(daemon)).toEqual(["web"]);
    expect(registry()).not.toContain("api");
  });

  test("asks for everything on a terminal", async () => {
    host.write(join(host.reposRoot, "work/api/node_modules/x"), "made");
    const argv = [join(host.project, "bin/repoman"), "new"];
    const terminal = openTerminal(host, argv, { cwd: host.project, env: { PULUMI_STACK: STACK } });
    await terminal.shows("Which directory of");
    await terminal.shows("work/api");
    // fresh, work/api, work/copy
    terminal.type(KEY.down);
    terminal.type(KEY.enter);
    await terminal.shows("Name of the container?");
    terminal.type(KEY.enter);
    await terminal.shows("Image?");
    terminal.type(KEY.enter);
    await terminal.shows("Profiles?");
    terminal.type(KEY.enter);
    await terminal.shows("Mount something else");
    terminal.type(`/absent${KEY.enter}`);
    await terminal.shows("is not understood");
    terminal.type(`${KEY.backspace.repeat(7)}/usr/share:/opt/share:ro${KEY.enter}`);
    await terminal.shows("And another?");
    terminal.type(KEY.enter);
    await terminal.shows("Back it up to");
    terminal.type(KEY.enter);
    await terminal.shows("Leave out");
    terminal.type(KEY.space + KEY.enter);
    await terminal.shows('Make the container "api"?');
    terminal.type(KEY.enter);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    expect(await instanceNames(daemon)).toEqual(["api", "web"]);
    expect(registry()).toMatch(/name = "api"\nrepo = "work\/api"\nexclude = \["node_modules\/"\]/);
    expect(existsSync(join(host.backup.path, "work/api/.git/HEAD"))).toBe(true);
    expect(existsSync(join(host.backup.path, "work/api/node_modules"))).toBe(false);
  });

  test("takes all that a scan finds", async () => {
    await repoman(host, 0, "remove", "later", "--yes");
    const before = registry();
    const argv = [join(host.project, "bin/repoman"), "new", "--from-scan"];
    const terminal = openTerminal(host, argv, { cwd: host.project, env: { PULUMI_STACK: STACK } });
    await terminal.shows("Which get a container?");
    terminal.type(KEY.space + KEY.enter);
    await terminal.shows('The container "spare":');
    await terminal.shows('The container "copy":');
    await terminal.shows("Make 2 containers?");
    terminal.type(KEY.interrupt);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(1);
    expect(text).toContain("stopped; nothing was changed");
    expect(registry()).toBe(before);
    const { all } = await repoman(host, 0, "new", "--from-scan", "--no-up", "--no-backup");
    expect(all).toContain("Entered fresh, spare, copy");
    const none = await repoman(host, 0, "new", "--from-scan", "--yes");
    expect(none.all).toContain("has its container.");
    for (const name of ["fresh", "spare", "copy"]) await repoman(host, 0, "remove", name, "--yes");
  });
});

test("disable stops the container and keeps it, enable gives the file its bytes back", async () => {
  const before = registry();
  const { uuid } = await facts("web");
  await repoman(host, 0, "disable", "web");
  expect(registry()).toContain("enabled = false");
  expect(await facts("web")).toEqual({ status: "Stopped", uuid });
  await repoman(host, 0, "enable", "web");
  expect(registry()).toBe(before);
  // Its run state is left alone unless the registry sets it.
  await daemon.api("PUT", "/1.0/instances/web/state?project=repoman", { action: "start" });
  host.write(".config/repoman/repos.d/web.toml", "enabled = true\n");
  const { all } = await repoman(host, 4, "disable", "web", "--no-up");
  expect(all).toMatch(/repos\.d\/web\.toml says enabled = true/);
});

test("update applies the overrides of one project alone", async () => {
  host.write(".config/repoman/repos.d/web.toml", '[config]\n"limits.memory" = "256MiB"\n');
  host.write(".config/repoman/repos.d/api.toml", '[config]\n"limits.memory" = "256MiB"\n');
  const refused = await repoman(host, 2, "update", "web");
  expect(refused.all).toContain("--yes");
  await repoman(host, 0, "update", "web", "--yes");
  expect((await instance(daemon, "web")).config["limits.memory"]).toBe("256MiB");
  expect((await instance(daemon, "api")).config["limits.memory"]).toBeUndefined();
});

describe.sequential("rename", () => {
  test("asks at a terminal and makes nothing anew: container, files inside, record and copy go along", async () => {
    // What it says is not up yet, and would be in the way of a preview without changes.
    rmSync(config("repos.d/api.toml"));
    await host.sh("web", "echo kept >/root/kept");
    const { uuid } = await facts("web");
    const copied = JSON.parse(readFileSync(record("web"), "utf8"));
    const before = registry();
    expect((await repoman(host, 2, "rename")).all).toContain("There are: web, api.");
    const refused = await repoman(host, 2, "rename", "web", "site");
    expect(refused.all).toMatch(/stops the container "web", and starts it again as "site"/);
    expect((await repoman(host, 4, "rename", "web", "api", "--yes")).all).toContain("already");
    expect(registry()).toBe(before);

    const argv = [join(host.project, "bin/repoman"), "rename"];
    const terminal = openTerminal(host, argv, { cwd: host.project, env: { PULUMI_STACK: STACK } });
    await terminal.shows("Rename which project?");
    terminal.type(KEY.enter);
    await terminal.shows('What is "web" to be called?');
    terminal.type(`api${KEY.enter}`);
    await terminal.shows("has a project already");
    terminal.type(`${KEY.backspace.repeat(3)}site${KEY.enter}`);
    await terminal.shows('Rename "web" to "site"?');
    terminal.type("y");
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    expect(text).toContain('Renamed "web" to "site".\n');
    expect(await facts("site")).toEqual({ status: "Running", uuid });
    expect(await instanceNames(daemon)).toEqual(["api", "site"]);
    expect((await host.sh("site", "cat /root/kept")).stdout).toBe("kept\n");
    expect(JSON.parse(readFileSync(record("site"), "utf8"))).toEqual({ ...copied, name: "site" });
    expect(existsSync(record("web"))).toBe(false);
    expect(existsSync(join(host.backup.path, "web/README.md"))).toBe(true);
    expect(readFileSync(config("repos.d/site.toml"), "utf8")).toContain("256MiB");
    expect(JSON.stringify(host.deployment(STACK))).not.toMatch(/::web"/);
    expect(Object.keys(outputs(host).containers).sort()).toEqual(["api", "site"]);
  });

  test("that is killed is finished by running it again", async () => {
    const { uuid } = await facts("site");
    const run = host.spawnRepoman(["rename", "site", "web", "--yes"], {
      env: { PULUMI_STACK: STACK },
    });
    await soon("the edit", () => registry().includes('name = "web"'));
    await soon("Pulumi at work", () =>
      run.processes().some(({ argv }) => argv.some((word) => word.includes("providers/host"))),
    );
    await run.killAll();
    const { all } = await repoman(host, 4, "new", "site", "--repo", "spare", "--yes");
    expect(all).toContain("Finish that first: bin/repoman rename site web");
    const again = await repoman(host, 0, "rename", "site", "web", "--yes");
    expect(again.all).toContain("The registry has the new name already; this finishes the rest.");
    expect(again.stdout).toBe('Renamed "site" to "web".\n');
    expect(await facts("web")).toEqual({ status: "Running", uuid });
  });

  test("that was cut off after the edit is carried out by plain pulumi; of all that a preview finds nothing", async () => {
    const { uuid } = await facts("web");
    const notes = join(host.home, ".local/state/repoman/stacks", STACK, "renames.json");
    mkdirSync(join(notes, ".."), { recursive: true });
    host.write(notes, '[{"from":"web","to":"shop"}]\n');
    host.write(config("repos.d/shop.toml"), readFileSync(config("repos.d/web.toml"), "utf8"));
    rmSync(config("repos.d/web.toml"));
    writeFileSync(
      config("repoman.toml"),
      registry().replace('name = "web"', 'name = "shop"\nrepo = "web"'),
    );
    const { exitCode, all } = await host.pulumi(["up", "--yes", "--skip-preview"], {
      env: { PULUMI_STACK: STACK },
    });
    expect(exitCode, all).toBe(0);
    expect(await facts("shop")).toEqual({ status: "Running", uuid });
    await expectNoChanges(host);
  });
});

describe.sequential("remove", () => {
  test("takes container and entry, says where the rest is, and leaves nothing to preview", async () => {
    expect((await repoman(host, 2, "remove", "shop")).all).toMatch(/Add --yes/);
    expect((await repoman(host, 2, "remove", "shops", "--yes")).all).toMatch(/Did you mean shop\?/);
    const { stdout } = await repoman(host, 0, "remove", "shop", "--yes");
    expect(stdout).toMatch(/^Removed "shop"\.\nStays:/);
    expect(stdout).toContain(`Stays:  the repository ${join(host.reposRoot, "web")}\n`);
    expect(stdout).toContain(`Stays:  its backup   ${join(host.backup.path, "web")}\n`);
    expect(stdout).toContain("repos.d/shop.toml.removed");
    expect(existsSync(join(host.reposRoot, "web/README.md"))).toBe(true);
    expect(existsSync(join(host.backup.path, "web/README.md"))).toBe(true);
    expect(await instanceNames(daemon)).toEqual(["api"]);
    await expectNoChanges(host);
  });

  test("finishes what was cut off, and finds a container whose state is lost", async () => {
    const marks = Object.entries((await instance(daemon, "api")).config).filter(([key]) =>
      key.startsWith("user.repoman."),
    );
    await repoman(host, 0, "destroy", "api", "--yes", "--skip-preview");
    await repoman(host, 0, "remove", "api", "--yes");
    expect(registry()).not.toContain('"api"');
    await repoman(host, 0, "new", "api", "--repo", "work/api", "--no-up");
    const flags = marks.flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    await daemon.incus("launch", "busybox", "api", "--project", "repoman", ...flags);
    expect(await instanceNames(daemon)).toEqual(["api"]);
    rmSync(join(host.home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman"), {
      recursive: true,
    });
    await repoman(host, 0, "remove", "api", "--yes");
    expect(await instanceNames(daemon)).toEqual([]);
  });
});

async function facts(name: string) {
  const { status, config: keys } = await instance(daemon, name);
  return { status, uuid: keys["volatile.uuid"] };
}

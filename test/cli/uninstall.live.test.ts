// Taking repoman off a host: what it put there goes, what people own stays.

import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { instanceNames, repoman, Shared, up } from "../engine/estate.ts";
import { linkToolchain } from "../rig/copy.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { until } from "../rig/place.ts";

const shared = new Shared({ images: ["busybox"], repos: ["alpha"] });
let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  ({ daemon, host } = shared);
  host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
  host.writeRegistry({ project: [{ name: "alpha", profiles: ["default", "tools"] }] });
  await up(host);
  host.write(".local/bin/.keep", "");
  host.write(".local/state/repoman/console/0f-1.log", "what a container printed");
  const installing = await host.run(["node", "tools/install-cli.js"]);
  expect(installing.exitCode, installing.all).toBe(0);
  symlinkSync("/bin/true", join(host.home, ".local/bin/other"));
});

const state = (name: string) => join(host.home, ".local/state/repoman", name);
const stays = () => ({
  registry: readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8"),
  profiles: readdirSync(join(host.home, ".config/repoman/profiles.d")),
  repository: readFileSync(join(host.reposRoot, "alpha/.git/HEAD"), "utf8"),
  backup: readFileSync(join(host.backup.path, "alpha/.git/HEAD"), "utf8"),
  records: readdirSync(state("backups")),
});

test("says what would go and what stays, and does nothing without consent", async () => {
  const before = stays();
  const { stdout } = await repoman(host, 0, "uninstall", "--dry-run");
  expect(stdout).toMatch(/^Goes: {3}container alpha$/m);
  expect(stdout).toMatch(/^Goes: {3}profile tools$/m);
  expect(stdout).toMatch(/^Goes: {3}the toolchain and other caches {2}\S+\.cache\/repoman$/m);
  expect(stdout).toMatch(/^Goes: {3}a link to repoman {2}\S+\/\.local\/bin\/repoman$/m);
  expect(stdout).toMatch(/^Goes: {3}manual page or completion {2}\S+\/man1\/repoman\.1$/m);
  expect(stdout).toMatch(/^Stays: {2}registry.* {2}\S+repoman\.toml$/m);
  const { stdout: json } = await repoman(host, 0, "uninstall", "--json");
  expect(JSON.parse(json).stays).toContainEqual({
    what: "this copy of the project",
    place: host.project,
  });
  const { stderr } = await repoman(host, 2, "uninstall");
  expect(stderr).toMatch(/takes all of that away, and there is no terminal to ask at/);
  expect(stays()).toEqual(before);
  expect(await instanceNames(daemon)).toEqual(["alpha"]);
});

test("leaves what another stack needs, and says which", async () => {
  await host.repo("beta");
  const other = host.write(
    "other.toml",
    `[defaults]\nrepos_root = "${host.reposRoot}"\nincus_project = "other"\ndefault_image = "busybox"\n[[project]]\nname = "beta"\n`,
  );
  await repoman(host, 0, "up", "--stack", "other", "--registry", other, "--yes", "--skip-preview");
  const { stdout } = await repoman(host, 0, "uninstall", "--dry-run");
  expect(stdout).toMatch(/^Stays: {2}the toolchain and other caches: other needs it; /m);
  await repoman(host, 0, "uninstall", "--stack", "other", "--yes");
  expect(await instanceNames(daemon, "other")).toEqual([]);
  expect(existsSync(join(host.project, "Pulumi.other.yaml"))).toBe(false);
  expect(existsSync(state("stacks/other"))).toBe(false);
  expect(existsSync(join(host.home, ".cache/repoman/toolchain"))).toBe(true);
  expect(await instanceNames(daemon)).toEqual(["alpha"]);
  expect(existsSync(other)).toBe(true);
});

test("cut off in the middle, another run finishes it; people's things stay", async () => {
  const before = stays();
  const going = host.spawnRepoman(["uninstall", "--yes"], { env: { PULUMI_STACK: "rig" } });
  await until("the container to go", async () => (await instanceNames(daemon)).length === 0);
  await going.killAll();
  const { stdout } = await repoman(host, 0, "uninstall", "--yes");
  expect(stdout).toMatch(/repoman is uninstalled/);
  expect((await daemon.api("GET", "/1.0/projects")).metadata).toEqual(["/1.0/projects/default"]);
  expect((await daemon.api("GET", "/1.0/profiles")).metadata).toEqual(["/1.0/profiles/default"]);
  expect(stays()).toEqual(before);
  expect(existsSync(join(host.project, "Pulumi.rig.yaml"))).toBe(false);
  expect(readdirSync(state("")).sort()).toEqual(["backups", "disks", "log"]);
  expect(readdirSync(join(host.home, ".cache"))).toEqual([]);
  expect(readdirSync(join(host.home, ".local/bin")).sort()).toEqual([".keep", "other"]);
  expect(readdirSync(join(host.home, ".local/share/man/man1"))).toEqual([]);
  expect(readdirSync(join(host.home, ".local/share/zsh/site-functions"))).toEqual([]);
  expect(lstatSync(join(host.project, "bin/repoman")).isFile()).toBe(true);
});

test("with --purge what the user wrote goes as well, but no repository, backup or record", async () => {
  const { records, repository, backup } = stays();
  const kept = host.write(".config/repoman/repoman.toml.schema-2", "old");
  const other = host.write(".config/repoman/repoman.toml.mine", "not repoman's");
  const env = { PULUMI_STACK: "rig", REPOMAN_TOOLCHAIN: join(host.home, "tools") };
  await linkToolchain({ ...host.env, ...env }, host.project, host.user);
  const { exitCode, all } = await host.repoman(["uninstall", "--purge", "--yes"], { env });
  expect(exitCode, all).toBe(0);
  expect(all).toContain(`Goes:   registry, overrides, profiles, trust, journal  ${kept}\n`);
  expect(readdirSync(join(host.home, ".config/repoman"))).toEqual(["repoman.toml.mine"]);
  expect(readFileSync(other, "utf8")).toBe("not repoman's");
  expect(readdirSync(state("")).sort()).toEqual(["backups", "disks"]);
  expect(readdirSync(state("backups"))).toEqual(records);
  expect(readFileSync(join(host.reposRoot, "alpha/.git/HEAD"), "utf8")).toBe(repository);
  expect(readFileSync(join(host.backup.path, "alpha/.git/HEAD"), "utf8")).toBe(backup);
});

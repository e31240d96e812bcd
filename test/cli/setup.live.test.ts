// Set-up on a host as it comes: nothing there, an older registry, an answer that is no.

import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { repoman, STACK } from "../engine/estate.ts";
import { own } from "../rig/copy.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { KEY, openTerminal } from "./terminal.ts";

let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  // With a carrier, which an empty bridge has not.
  await execa("ip", ["link", "add", NAME, "type", "veth", "peer", "name", `${NAME}-far`]);
  await execa("ip", ["address", "add", `${ADDRESS}/24`, "dev", NAME]);
  for (const end of [NAME, `${NAME}-far`]) await execa("ip", ["link", "set", end, "up"]);
  daemon = await startDaemon({ bare: true });
  host = await makeHost({ user: "dev", daemon });
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
  await execa("ip", ["link", "delete", NAME]);
});
beforeEach(() => {
  rmSync(join(host.home, ".config/repoman"), { recursive: true, force: true });
});

const file = () => join(host.home, ".config/repoman/repoman.toml");
const registry = () => readFileSync(file(), "utf8");
const setup = (code: number, ...args: string[]) => repoman(host, code, "setup", ...args);
/** The machine's own network, as far as it needs one here. */
const NAME = "lan0";
const ADDRESS = "192.0.2.7";

test("makes a registry that works, and changes nothing when it is run again", async () => {
  rmSync(host.reposRoot, { recursive: true });
  const first = await host.repoman(["setup", "--non-interactive"], {
    env: { PULUMI_STACK: STACK, NFS_REPOS: host.backup.path },
  });
  expect(first.exitCode, first.all).toBe(0);
  expect(first.stderr).toMatch(/^Found:\n {2}Incus +6\.\S+, .*unix.socket\n/);
  expect(first.stderr).toContain(`${host.backup.path}, on ext4 from /dev/loop`);
  expect(first.stderr).toMatch(/To be changed:\n {2}.*\/repos: the folder is made\n/);
  expect(first.stdout).toContain("Set up.\nNext:\n  bin/repoman new ");
  expect(existsSync(host.reposRoot)).toBe(true);
  expect(registry()).toContain('repos_root = "~/repos"');
  expect(registry()).toContain(`backup_root = "${host.backup.path}"`);
  const before = registry();
  const again = await setup(0, "--non-interactive");
  expect(again.stdout).toContain("Set up already; nothing was changed.");
  expect(registry()).toBe(before);
  await repoman(host, 0, "preview");
});

test("without a terminal it changes nothing unless it is told to, and says what it would", async () => {
  const { all } = await setup(2);
  expect(all).toMatch(
    /To be changed:\n(.*\n)*.*there is no terminal to agree at\n.*--non-interactive/,
  );
  expect(existsSync(file())).toBe(false);
});

test("an Incus that does not answer is exit 3", async () => {
  const { exitCode, all } = await host.repoman(["setup", "--non-interactive"], {
    env: { PULUMI_STACK: STACK, INCUS_DIR: "/nonexistent" },
  });
  expect(exitCode, all).toBe(3);
  expect(existsSync(file())).toBe(false);
  expect((await setup(3, "--lan-interface", "absent0")).all).toMatch(/"absent0" is not there/);
});

test("finds the address anew when it is another's now", async () => {
  host.writeRegistry(
    '# mine\n[host]\nlan_ip = "203.0.113.9" # old\n\n[defaults]\nrepos_root = "~/repos"\n',
  );
  const { stderr } = await setup(0, "--non-interactive", "--lan-interface", NAME);
  expect(stderr).toContain(`lan_ip: "203.0.113.9" → "${ADDRESS}"`);
  expect(registry()).toContain(`# mine\n[host]\nlan_ip = "${ADDRESS}" # old\n`);
  // It is this host's: no need to name the interface again.
  expect((await setup(0, "--yes")).stdout).toContain("nothing was changed");
});

test("migrates an older registry through a link, and keeps the old one", async () => {
  const old =
    '[repoman]\nschema = 2\n\n[defaults]\nlocal_repos = "~/repos"\n\n[defaults.llm]\nenabled = true\n';
  const real = host.write("dotfiles/repoman.toml", old);
  mkdirSync(join(file(), ".."), { recursive: true });
  symlinkSync(real, file());
  own(join(host.home, ".config"), host.user);
  const { stderr } = await setup(0, "--non-interactive");
  expect(stderr).toContain("schema 2 becomes 3");
  expect(readFileSync(real, "utf8")).toContain('repos_root = "~/repos"');
  expect(readFileSync(`${real}.schema-2`, "utf8")).toBe(old);
});

test("a reset keeps the projects, and the old file", async () => {
  await host.repo("web");
  host.writeRegistry({ repoman: { output: "loud" }, project: [{ name: "web", image: "mine" }] });
  const before = registry();
  const { stderr } = await setup(0, "--reset", "--yes");
  expect(stderr).toContain('output: "loud" → not set');
  expect(registry()).toContain('name = "web"\nimage = "mine"');
  expect(registry()).toContain(`backup_root = "${host.backup.path}"`);
  expect(readFileSync(`${file()}.before-reset`, "utf8")).toBe(before);
});

test("a registry that is not sound is left alone, with every problem named", async () => {
  host.writeRegistry('[defaults]\nrepo_root = "/x"\n');
  expect((await setup(1, "--non-interactive")).all).toMatch(/:2:1: .*repo_root/);
});

test("asks for what it cannot find out, and takes no for an answer", async () => {
  const run = (...args: string[]) => {
    const argv = [join(host.project, "bin/repoman"), "setup", ...args];
    return openTerminal(host, argv, { cwd: host.project, env: { PULUMI_STACK: STACK } });
  };
  const first = run("--lan-interface", NAME);
  await first.shows("Where are the repositories?");
  first.type(KEY.enter);
  await first.shows("Where do their copies go");
  first.type(`relative${KEY.enter}`);
  await first.shows("is not an absolute path");
  first.type(`${KEY.backspace.repeat(8)}${host.backup.path}${KEY.enter}`);
  await first.shows("Image of new containers?");
  first.type(KEY.enter);
  await first.shows("Make these changes?");
  first.type("n");
  const refused = await first.done;
  expect(refused.exitCode, refused.text).toBe(1);
  expect(existsSync(file())).toBe(false);

  // There is no default route to tell by which of its addresses the host is known.
  const second = run();
  await second.shows("The address of this host on its network?");
  second.type(`br0${KEY.enter}`);
  await second.shows("It is no IP address.");
  second.type(`${KEY.backspace.repeat(3)}${ADDRESS}${KEY.enter}`);
  await second.shows("Where are the repositories?");
  second.type(KEY.enter);
  await second.shows("Where do their copies go");
  second.type(KEY.enter);
  await second.shows("Image of new containers?");
  second.type(KEY.enter);
  await second.shows("Make these changes?");
  second.type(KEY.enter);
  const { exitCode, text } = await second.done;
  expect(exitCode, text).toBe(0);
  expect(registry()).toContain(`lan_ip = "${ADDRESS}"`);
});

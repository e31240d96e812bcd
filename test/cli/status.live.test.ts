// `repoman status` on an estate that is well, and then on one in which everything went wrong.

import { chmodSync, chownSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding } from "../../survey/health/index.ts";
import { repoman, up } from "../engine/estate.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { openTerminal } from "./terminal.ts";

let daemon: Daemon;
let host: Host;
const projects = () => [
  { name: "web", mount: [{ source: join(host.home, "settings"), path: "/etc/settings" }] },
  { name: "tally", profiles: ["default", "tools"] },
  { name: "off", enabled: false },
];

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await Promise.all(["web", "tally", "off"].map((name) => host.repo(name)));
  host.write("settings", "first\n");
  host.write(
    ".config/repoman/profiles.d/tools.yml",
    "description: Tools\nconfig: {}\ndevices: {}\n",
  );
  host.writeRegistry({ host: { lan_ip: "127.0.0.1" }, project: projects() });
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

async function status(code: number, ...args: string[]) {
  const { stdout } = await repoman(host, code, "status", "--json", "--exit-code", ...args);
  const { good, findings } = JSON.parse(stdout) as { good: boolean; findings: Finding[] };
  return {
    good,
    findings,
    bad: findings.filter(({ state }) => state === "bad" || state === "unknown"),
  };
}

test("an estate in which all is well is good throughout", async () => {
  const { good, bad, findings } = await status(0);
  expect({ good, bad }).toEqual({ good: true, bad: [] });
  const told = findings.map(({ group, subject, what }) => `${group} ${subject}: ${what}`);
  expect(told).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^server Incus: 6\.\S+ answers: /),
      "project repoman: is there, and this stack's",
      "profiles tools: is as its template says",
      "profiles default: is on the server",
      "containers web: running",
      "containers web: 2 mounts are what lies on the host",
      "containers off: disabled",
      expect.stringMatching(/^backups \/\S+: .* free \(\d+ %\), ext4 at/),
      expect.stringMatching(/^backups tally: copied \d+ s ago, \d+ files/),
      "repositories web: nothing odd was found",
      "host LAN address: 127.0.0.1 is this host's, on lo",
      "registry repoman.toml: is well-formed",
    ]),
  );
});

test("whatever is not good has a reason and a remedy", async () => {
  // A single file that a program saves is another file then, and the container keeps the old one.
  host.write("settings.new", "second\n");
  renameSync(join(host.home, "settings.new"), join(host.home, "settings"));
  const web = join(host.reposRoot, "web");
  writeFileSync(join(web, "roots"), "");
  chownSync(join(web, "roots"), 0, 0);
  writeFileSync(join(web, "program"), "");
  chownSync(join(web, "program"), host.user.uid, host.user.gid);
  chmodSync(join(web, "program"), 0o4755);
  host.write(join(web, ".repoman.toml"), "[config]\n'limits.cpu' = '2'\n");
  await daemon.incus("profile", "set", "tools", "limits.cpu=1");
  await daemon.incus("config", "set", "--project", "repoman", "tally", "limits.memory=96MiB");
  await daemon.incus("config", "unset", "--project", "repoman", "tally", "raw.idmap");
  await daemon.incus("restart", "--force", "--project", "repoman", "tally");
  await daemon.incus("launch", "busybox", "stray", "--project", "repoman");
  rmSync(join(host.home, ".local/state/repoman/backups/tally.json"));
  host.writeRegistry({
    host: { lan_ip: "192.0.2.1" },
    project: [...projects(), { name: "unmade", profiles: ["nowhere"] }],
  });

  const { bad } = await status(1);
  for (const { state, remedy, subject } of bad) {
    expect({ subject, state, remedy: remedy ?? "" }).toMatchObject({
      state: "bad",
      remedy: expect.stringMatching(/\S/),
    });
  }
  const told = bad.map(({ group, subject, what }) => `${group} ${subject}: ${what}`);
  const remedies = bad.map(({ remedy }) => remedy).join("\n");
  expect(told).toEqual(
    expect.arrayContaining([
      "profiles tools: has drifted from its template: config.limits.cpu",
      expect.stringMatching(/^containers web: the file \S+settings was replaced since/),
      "containers tally: is not as declared: config.limits.memory, config.raw.idmap",
      expect.stringMatching(
        /^containers tally: the repository belongs to uid \d+ on .* 65534 inside/,
      ),
      expect.stringMatching(/^containers unmade: the repository "\S+" is not there/),
      expect.stringMatching(/^profiles nowhere: is neither in the library nor on the server/),
      "containers stray: is not in the registry, and repoman did not make it",
      "backups tally: it was never copied",
      "repositories web: 1 file runs with its owner's rights (setuid or setgid): program",
      "repositories web: 1 file belongs to root of this host: roots",
      expect.stringMatching(/^host LAN address: 192\.0\.2\.1 is not this host's/),
      expect.stringMatching(/^registry web: its \.repoman\.toml asks for config/),
    ]),
  );
  for (const command of [
    "repoman restart web",
    "repoman up tally",
    "repoman adopt stray",
    "repoman sync tally",
    "repoman setup",
    "repoman trust web",
    "repoman profile diff tools",
  ]) {
    expect(remedies).toContain(command);
  }
  // Of one project alone nothing of the others is told.
  const one = await status(1, "tally");
  expect(one.findings.some(({ subject }) => subject === "web" || subject === "stray")).toBe(false);
  expect(one.bad.map(({ group }) => group)).toEqual(
    expect.arrayContaining(["profiles", "containers", "backups"]),
  );
  expect((await repoman(host, 2, "status", "wob")).all).toContain("Did you mean web?");
  // Without being asked to judge, it only tells.
  await repoman(host, 0, "status");
});

test("fits a terminal of 80 columns, and knows another file system from the backup disk's", async () => {
  host.writeRegistry({ defaults: { backup_fstype: "nfs4" }, project: projects() });
  const terminal = openTerminal(host, [join(host.project, "bin/repoman"), "status"], {
    columns: 80,
    env: { PULUMI_STACK: "rig" },
  });
  const { text } = await terminal.done;
  expect(text).toContain("→ ");
  expect(text.replace(/\s+/g, " ")).toContain("Expected nfs4 from ");
  const long = text
    .split("\n")
    .filter((line) => line.length > 80 && /\s\S+\s\S/.test(line.slice(40)));
  expect(long).toEqual([]);
});

test("a broken registry, a disk that is away and a daemon that is down are told beside the rest", async () => {
  host.writeRegistry(
    `[repoman]\nschema = 3\n[defaults]\nrepos_root = "${host.reposRoot}"\nbackup_root = "${host.backup.path}"\ndefault_image = "busybox"\n[[project]]\nname = "web"\nimgae = "x"\n`,
  );
  await host.backup.unmount();
  await daemon.stop();
  const { bad } = await status(1);
  const told = bad.map(({ group, subject, what }) => `${group} ${subject}: ${what}`);
  expect(told).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^server Incus: .*(socket|Incus)/),
      expect.stringMatching(/^project repoman: the server is out of reach/),
      expect.stringMatching(/^containers web: /),
      expect.stringMatching(/^backups \/\S+: /),
      expect.stringMatching(/^registry repoman\.toml:9:1: .*imgae/),
    ]),
  );
});

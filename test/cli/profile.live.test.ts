// `repoman profile` from the library to the server and back.

import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { expectNoChanges, repoman, Shared, up } from "../engine/estate.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { KEY, openTerminal } from "./terminal.ts";

const shared = new Shared({ images: ["busybox"], repos: ["alpha"] });
let daemon: Daemon;
let host: Host;

beforeAll(() => {
  ({ daemon, host } = shared);
  own("mine", "description: Mine\nconfig:\n  limits.memory: 256MiB\n");
  registry();
});

const registry = (more: Record<string, unknown> = {}) =>
  host.writeRegistry({ project: [{ name: "alpha" }], ...more });
const own = (name: string, text: string) =>
  host.write(`.config/repoman/profiles.d/${name}.yml`, text);
const ownFile = (name: string) => join(host.home, `.config/repoman/profiles.d/${name}.yml`);
const profile = (code: number, ...args: string[]) => repoman(host, code, "profile", ...args);
const config = () => readFileSync(join(host.project, "Pulumi.rig.yaml"), "utf8");
const onServer = async () => {
  const { metadata } = await daemon.api("GET", "/1.0/profiles?recursion=1");
  return new Map<string, { config: Record<string, string>; devices: object }>(
    metadata.map((each: { name: string }) => [each.name, each]),
  );
};

const withoutUsers = (profiles: Awaited<ReturnType<typeof onServer>>) =>
  [...profiles.values()].map((profile) => ({ ...profile, used_by: undefined }));

async function rows() {
  const { stdout } = await profile(0, "list", "--json");
  // biome-ignore lint/suspicious/noExplicitAny: a test names the fields it looks at
  return new Map<string, any>(JSON.parse(stdout).map((row: any) => [row.name, row]));
}

describe("install", () => {
  test("on an empty host makes just these, and manages them from then on", async () => {
    const { stdout } = await profile(0, "install", "dotfiles", "mine");
    expect(stdout).toBe(
      "==> installed dotfiles (source: vendor)\n==> installed mine (source: user)\n",
    );
    expect([...(await onServer()).keys()].sort()).toEqual(["default", "dotfiles", "mine"]);
    expect(config()).toMatch(/repoman:profiles: '?\["dotfiles","mine"\]'?/);
    const found = await rows();
    expect(found.get("mine")).toMatchObject({ installed: true, managed: true, drift: false });
    expect(found.get("gh-share")).toMatchObject({ installed: false, drift: null });
  });

  test("without the host's address is exit 3, with the way to it; --all does the rest", async () => {
    const { stderr } = await profile(3, "install", "dotfiles", "llm-share");
    expect(stderr).toMatch(/\$\{HOST_LAN_IP\} is empty on this host\n {2}`bin\/repoman setup`/);
    await profile(3, "show", "llm-share");
    await profile(3, "diff", "llm-share");
    await profile(3, "install", "--all");
    expect((await onServer()).size).toBe(1 + (await rows()).size - 1);
  });

  test("takes the place of one that repoman did not make only with --adopt, having shown it", async () => {
    own("theirs", "description: New\nconfig: {}\n");
    await daemon.api("POST", "/1.0/profiles", {
      name: "theirs",
      description: "Old",
      config: { "limits.cpu": "1" },
      devices: { x: { type: "disk", source: "/tmp", path: "/x" } },
    });
    const before = config();
    const { stderr } = await profile(4, "install", "theirs");
    expect(stderr).toMatch(/limits\.cpu +"1" → \(absent\)/);
    expect(stderr).toMatch(/devices\.x +path=\/x source=\/tmp type=disk → \(absent\)/);
    expect(stderr).toMatch(/repoman profile install theirs --adopt/);
    expect((await rows()).get("theirs")).toMatchObject({ installed: true, managed: false });
    await profile(2, "install", "theirs", "--adopt");
    expect(config()).toBe(before);
    expect((await onServer()).get("theirs")).toMatchObject({ description: "Old" });
    await profile(0, "install", "theirs", "--adopt", "--yes");
    expect((await onServer()).get("theirs")).toMatchObject({ description: "New", devices: {} });
  });

  test("is kept by the next up, which finds all of it as it should be", async () => {
    const before = await onServer();
    registry({ project: [{ name: "alpha", profiles: ["default", "theirs"] }] });
    const { stdout } = await up(host);
    expect(stdout).toMatch(/\nResources:\n +\+ \d+ created\n +\d+ unchanged\n/);
    expect(withoutUsers(await onServer())).toEqual(withoutUsers(before));
  });

  test("is bad usage without a name, or with one that there is not", async () => {
    await profile(2, "install");
    await profile(2, "install", "--all", "mine");
    expect((await profile(2, "install", "dotfils")).stderr).toContain("Did you mean dotfiles?");
  });
});

describe("diff", () => {
  test("says which keys and devices differ, by meaning", async () => {
    await profile(0, "diff", "mine");
    own("mine", "# said otherwise\ndescription: 'Mine'\nconfig: {limits.memory: \"256MiB\"}\n");
    await profile(0, "diff", "mine");
    own("mine", "description: Mine\nconfig:\n  limits.memory: 1GiB\n");
    const { stdout } = await profile(1, "diff", "mine");
    expect(stdout).toMatch(/\n {2}config\.limits\.memory +"256MiB" → "1GiB"\n/);
    expect((await rows()).get("mine")).toMatchObject({ drift: true });
    expect(JSON.parse((await profile(1, "diff", "mine", "--json")).stdout)).toEqual({
      name: "mine",
      installed: true,
      differences: [{ property: "config.limits.memory", from: "256MiB", to: "1GiB" }],
    });
  });

  test("shows what would be installed where it is not there", async () => {
    own("fresh", "description: Fresh\n");
    const { stdout } = await profile(1, "diff", "fresh");
    expect(stdout).toMatch(/^not installed; would install fresh:\nname: fresh\n/);
  });

  test("--vendor compares a shadow with what it hides", async () => {
    await profile(3, "diff", "dotfiles", "--vendor");
    await profile(3, "diff", "mine", "--vendor");
    const { stdout: text } = await profile(0, "show", "dotfiles");
    own("dotfiles", text.replace("/.hgrc", "/.hgrc2"));
    const { stdout } = await profile(1, "diff", "dotfiles", "--vendor");
    expect(stdout).toMatch(/devices\.hgrc\.(source|path)/);
    expect((await rows()).get("dotfiles")).toMatchObject({ source: "user (shadows vendor)" });
    own("dotfiles", text);
    await profile(0, "diff", "dotfiles", "--vendor");
  });
});

describe("remove", () => {
  test("takes it off the server and out of the config; the file stays, and preview is clean", async () => {
    await profile(2, "remove", "mine");
    const { stdout } = await profile(0, "remove", "mine", "--yes");
    expect(stdout).toBe(`==> removed mine from incus (file at ${ownFile("mine")} untouched)\n`);
    expect((await onServer()).has("mine")).toBe(false);
    expect(existsSync(ownFile("mine"))).toBe(true);
    expect(config()).not.toContain('"mine"');
    await expectNoChanges(host);
    const { stderr } = await profile(1, "remove", "mine", "--yes");
    expect(stderr).toMatch(/no profile "mine" on the server\n {2}It is in the library only/);
  });

  test("warns of projects that name it, and does not touch what instances use or others made", async () => {
    await daemon.api("POST", "/1.0/profiles", { name: "foreign", config: {}, devices: {} });
    expect((await profile(4, "remove", "foreign", "--yes")).stderr).toContain("did not make it");
    const used = await profile(4, "remove", "theirs", "--yes");
    expect(used.stderr).toMatch(/is used by repoman\/alpha/);
    registry({ project: [{ name: "alpha", enabled: false, profiles: ["default", "gh-share"] }] });
    const { stderr } = await profile(0, "remove", "gh-share", "--yes");
    expect(stderr).toContain("the registry still names it for alpha");
  });
});

describe("edit and new", () => {
  const editing = async (code: number, script: string, ...args: string[]) => {
    const editor = host.write("editor", `#!/bin/sh\n${script}\n`);
    chmodSync(editor, 0o755);
    const env = { PULUMI_STACK: "rig", EDITOR: `${editor} --wait` };
    const finished = await host.repoman(["profile", ...args], { env });
    expect(finished.exitCode, finished.all).toBe(code);
    return finished;
  };

  test("edit makes a copy of repoman's only when something was changed", async () => {
    const { stderr } = await editing(0, "true", "edit", "codex-share");
    expect(stderr).toMatch(/There is no copy of yours/);
    await editing(0, 'echo "# mine now" >>"$2"', "edit", "codex-share");
    expect(readFileSync(ownFile("codex-share"), "utf8")).toMatch(
      /# Codex's login[\s\S]*# mine now\n$/,
    );
    await profile(0, "diff", "codex-share", "--vendor");
  });

  test("edit refuses what is wrong, with its line, and keeps the draft", async () => {
    const before = readFileSync(ownFile("codex-share"), "utf8");
    const { stderr } = await editing(1, 'echo "cofnig: {}" >>"$2"', "edit", "codex-share");
    expect(stderr).toMatch(/codex-share\.yml:\d+:1: .*"cofnig"/);
    const draft = /What you wrote is kept in (\S+)/.exec(stderr)?.[1] ?? "";
    expect(readFileSync(draft, "utf8")).toContain("cofnig");
    expect(readFileSync(ownFile("codex-share"), "utf8")).toBe(before);
    await editing(1, "exit 3", "edit", "codex-share");
    own("fresh", "description: Fresh\n");
    const shifted = await editing(
      0,
      `printf 'devices:\\n  a:\\n    type: disk\\n    source: /a\\n    path: /a\\n    shift: "true"\\n' >"$2"`,
      "edit",
      "fresh",
    );
    expect(shifted.stderr).toMatch(/warning: .*device a has shift, with which root inside/);
  });

  test("edit writes through a link", async () => {
    const real = host.write("dotfiles/linked.yml", "description: Old\n");
    symlinkSync(real, ownFile("linked"));
    await editing(0, 'echo "description: New" >"$2"', "edit", "linked");
    expect(lstatSync(ownFile("linked")).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toBe("description: New\n");
  });

  test("new starts from a skeleton that is valid, and never writes over a file", async () => {
    const { stdout } = await profile(0, "new", "postgres");
    expect(stdout).toBe(`${ownFile("postgres")}\n`);
    expect((await rows()).get("postgres")).toMatchObject({ source: "user", fault: null });
    writeFileSync(ownFile("postgres"), "description: Kept\n");
    await profile(4, "new", "postgres");
    await profile(4, "new", "dotfiles");
    await profile(2, "new", "../evil");
    await profile(2, "new");
    expect(readFileSync(ownFile("postgres"), "utf8")).toBe("description: Kept\n");
  });
});

describe("list", () => {
  test("fits 80 columns, and tells of every thing that a profile opens", async () => {
    const command = [join(host.project, "bin/repoman"), "profile", "list"];
    const terminal = openTerminal(host, command, { columns: 80, env: { PULUMI_STACK: "rig" } });
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    const [table = ""] = text.split("warning:");
    for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^NAME +SOURCE +INSTALLED +DRIFT +EXPOSES +CREDENTIALS$/m);
    expect(text).toMatch(/^claude-share +vendor +(yes|no) +\S+ +ro ~\/\.local\/bin\/cla\S* +no$/m);
    expect(text).toMatch(/^ +rw ~\/\.claude +yes$/m);
    expect(text).toMatch(/^ssh-agent .* socket ~\/\.ssh\/agen\S* +yes$/m);
  });

  test("informs also where the server does not answer", async () => {
    const env = { PULUMI_STACK: "rig", INCUS_DIR: "/nonexistent" };
    const { exitCode, stdout, stderr } = await host.repoman(["profile", "list"], { env });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/dotfiles .* \? +\? /);
    expect(stderr).toMatch(/error: /);
  });
});

test("without a name each asks which, at a terminal", async () => {
  const atTerminal = (verb: string) => {
    const command = [join(host.project, "bin/repoman"), "profile", verb];
    return openTerminal(host, command, { env: { PULUMI_STACK: "rig" } });
  };
  const show = atTerminal("show");
  await show.shows("Show which one?");
  show.type(KEY.enter);
  await show.shows("name: claude-share");
  expect(await show.done).toMatchObject({ exitCode: 0 });
  expect((await profile(2, "remove")).stderr).toContain("this needs to be told which profile");
  const terminal = atTerminal("install");
  await terminal.shows("Which profiles?");
  terminal.type(KEY.space);
  terminal.type(KEY.enter);
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(0);
  expect(text).toMatch(/==> installed claude-share \(source: vendor\)/);
});

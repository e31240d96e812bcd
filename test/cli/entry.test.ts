import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { entryOf, mountOf, placeOf, requireName, variableOf } from "../../cli/estate/entry.ts";
import { nameFor, scan } from "../../cli/estate/scan.ts";

const NOW = new Date("2026-04-28T15:00:00.123Z");

test("an entry says what was asked for, and leaves to the defaults what was not", () => {
  expect(entryOf({ name: "web" }, "web", NOW)).toEqual({
    name: "web",
    created: "2026-04-28T15:00:00Z",
  });
  const wish = {
    name: "api",
    image: "images:debian/12",
    profiles: ["default", "tools"],
    mounts: ["/data:/data:ro", "~/.npm:~/.npm"],
    env: ["A=1", "B=x=y"],
    backup: false,
  };
  expect(entryOf(wish, "work/api", NOW)).toEqual({
    name: "api",
    repo: "work/api",
    image: "images:debian/12",
    profiles: ["default", "tools"],
    backup: false,
    created: "2026-04-28T15:00:00Z",
    mount: [
      { source: "/data", path: "/data", readonly: true },
      { source: "~/.npm", path: "~/.npm" },
    ],
    env: { A: "1", B: "x=y" },
  });
});

test("what is not understood is said, with an example", () => {
  for (const text of ["", "/a", "/a:", ":/b", "/a:/b:rx", "/a:/b:ro:more"]) {
    expect(() => mountOf(text)).toThrow(/is not understood\n.*source:path/);
  }
  expect(() => variableOf("A")).toThrow(/has no value/);
  expect(() => variableOf("1A=x")).toThrow(/is no name of an environment variable/);
  expect(() => requireName("two words")).toThrow(/"two-words"/);
});

test("a repository is found below repos_root, however it was named", () => {
  const places = { reposRoot: "/home/me/repos", home: "/home/me", cwd: "/home/me/repos/work" };
  const below = (repo?: string) => placeOf({ name: "web", repo }, places).below;
  expect(below()).toBe("web");
  expect(below("work/api")).toBe("work/api");
  expect(below("~/repos/x")).toBe("x");
  expect(below("/home/me/repos/a/b")).toBe("a/b");
  expect(below("./api")).toBe("work/api");
  for (const repo of ["/etc", "../..", "../../x", "..", "~"]) {
    expect(() => below(repo)).toThrow(/is not below repos_root/);
  }
});

test("directories without a container are offered, each under a name of its own", async () => {
  const root = await mkdtemp(join(tmpdir(), "repoman-scan-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const folders = [
    "plain",
    "web/.git",
    "work/api/.git",
    "work/api2/.git",
    "work/notes",
    "clients/one/site/.hg",
    "clients/two/site/.git",
    ".hidden/x/.git",
    "My App!/.git",
    "42/.git",
  ];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  const projects = [
    { name: "web", repo: join(root, "web") },
    { name: "api2", repo: join(root, "work/api2") },
  ];
  expect(await scan(root, projects)).toEqual([
    { repo: "42", name: "p42" },
    { repo: "My App!", name: "My-App" },
    { repo: "clients/one/site", name: "site" },
    { repo: "clients/two/site", name: "two-site" },
    { repo: "plain", name: "plain" },
    { repo: "work/api", name: "api" },
  ]);
});

test("a directory's name that Incus does not take is made one that it does", () => {
  expect(nameFor("äöü.js", new Set())).toBe("aou-js");
  expect(nameFor("a/web", new Set(["web"]))).toBe("a-web");
  expect(nameFor("web", new Set(["web"]))).toBe("web-2");
  expect(nameFor("…", new Set())).toBeUndefined();
});

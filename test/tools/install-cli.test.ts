import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { advice } from "../../tools/install/advice.js";
import { installed } from "../../tools/install/owned.js";
import { type Places, placesBelow, programOf, settings } from "../../tools/install/places.js";
import { layout, ROOT } from "../../tools/toolchain.js";
import { pinned } from "../../tools/versions.js";
import { put, script, userOf } from "./temp.ts";

const FOLDERS = [
  "bin",
  "cli",
  "host",
  "incus",
  "providers",
  "registry",
  "rsync",
  "survey",
  "tools",
];
const PARTS = [...FOLDERS, "settings.ts", "package.json", "package-lock.json"];

const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
let home: string;
let root: string;
let env: NodeJS.ProcessEnv;
let places: Places;
let record: string;

// A checkout, and a user on a machine on which all that set-up looks for is there.
beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "repoman install ")));
  root = join(home, "src/re poman");
  mkdirSync(root, { recursive: true });
  for (const part of PARTS) cpSync(join(ROOT, part), join(root, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  put(join(root, "CHANGELOG.md"), `## ${VERSION} - 2026-11-21\n`);
  places = placesBelow({ prefix: join(home, ".local") });
  record = join(home, ".local/state/repoman/installed-cli.json");
  const path = [dirname(places.link), `${home}/go`, dirname(process.execPath), "/usr/bin", "/bin"];
  env = userOf(home, { PATH: path.join(":"), NODE_COMPILE_CACHE: join(home, "compiled") });
  // A Go that can build nothing, or set-up would get one.
  script(join(home, "go/go"), "case $1 in version) echo go1.26.0 ;; *) exit 1 ;; esac");
  const { pulumi, plugin } = layout(env);
  script(join(pulumi(pinned(ROOT, "@pulumi/pulumi")), "pulumi"), "echo v3.258.0");
  put(`${plugin("command", pinned(ROOT, "@pulumi/command"))}.missed`, "no network\n");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
beforeEach(() => {
  for (const left of [".local", ".zshrc"])
    rmSync(join(home, left), { recursive: true, force: true });
});

const tool =
  (name: string) =>
  (args: string[] = [], more: NodeJS.ProcessEnv = {}, from = root) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(from, `tools/${name}.js`), ...args],
      { cwd: from, env: { ...env, ...more }, encoding: "utf8" },
    );
    return { status, stdout, stderr };
  };
const install = tool("install-cli");
const uninstall = tool("uninstall-cli");

const good = { status: 0, stderr: "" };

describe("install-cli", { timeout: 120_000 }, () => {
  test("puts command, page and completions where shells find them, once; and takes them away", () => {
    put(join(home, ".zshrc"), "# fpath=(~/.local/share/zsh/site-functions $fpath)\n");
    const first = install();
    expect(first).toMatchObject(good);
    for (const place of Object.values(places)) {
      expect(first.stdout).toContain(`Put there:     ${place}\n`);
    }
    const fpath = `fpath=('${dirname(places.zsh)}' $fpath)`;
    expect(first.stdout).toContain(fpath);
    expect(first.stdout).not.toContain("PATH. In");
    expect(readlinkSync(places.link)).toBe(join(root, "bin/repoman"));
    const man = readFileSync(places.man, "utf8");
    expect(man).toContain(`.TH "REPOMAN" "1" "2026-11-21" "repoman ${VERSION}"`);
    expect(statSync(places.man).mode & 0o777).toBe(0o644);
    expect(spawnSync("mandoc", ["-T", "lint", places.man]).stdout.toString()).toBe("");
    expect(readFileSync(places.zsh, "utf8")).toMatch(/^#compdef repoman\n/);
    for (const file of [places.bash, places.zsh, places.fish]) {
      expect(readFileSync(file, "utf8")).toContain(`'${places.link}' __complete`);
    }
    // Found by fish as it is, with the command run through the link.
    put(join(home, ".config/repoman/repoman.toml"), '[[project]]\nname = "web"\n');
    const fish = ["--command", "complete -C 'repoman up w'"];
    expect(execFileSync("fish", fish, { env, encoding: "utf8" })).toBe("web\n");

    writeFileSync(join(home, ".zshrc"), "fpath=(~/.local/share/zsh/site-functions $fpath)\n");
    const inode = statSync(places.man).ino;
    const second = install();
    expect(second).toMatchObject(good);
    expect(second.stdout).not.toContain("Put there");
    expect(second.stdout).not.toContain("fpath");
    expect(statSync(places.man).ino).toBe(inode);

    expect(installed({ stateDir: dirname(record), home }, root)).toEqual({
      links: [places.link],
      files: [places.man, places.bash, places.zsh, places.fish],
    });

    put(join(dirname(places.man), "other.1"), "");
    expect(uninstall()).toMatchObject(good);
    for (const place of Object.values(places)) expect(existsSync(place)).toBe(false);
    expect(existsSync(join(dirname(places.man), "other.1"))).toBe(true);
    expect(existsSync(record)).toBe(false);
    expect(uninstall().stdout).toBe("There was nothing to take away.\n");
  });

  test("goes over nothing that it did not put there, and takes no such thing away", () => {
    put(places.bash, "# mine\n");
    mkdirSync(dirname(places.link), { recursive: true });
    symlinkSync("/bin/true", places.link);
    const refused = install();
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain(`${places.link}, ${places.bash}`);
    expect(refused.stderr).toContain("Nothing was changed.");
    expect(existsSync(places.man)).toBe(false);
    expect(existsSync(record)).toBe(false);
    expect(readFileSync(places.bash, "utf8")).toBe("# mine\n");

    rmSync(places.bash);
    rmSync(places.link);
    expect(install()).toMatchObject(good);
    // What was put there and changed since is somebody's.
    writeFileSync(places.fish, readFileSync(places.fish, "utf8").replace("fish.", "my fish."));
    rmSync(places.link);
    symlinkSync("/bin/true", places.link);
    rmSync(places.man);
    mkdirSync(places.man);
    expect(install().status).toBe(4);
    const { stdout } = uninstall();
    for (const place of [places.link, places.fish, places.man]) {
      expect(stdout).toContain(`Stays, since it is not as install-cli left it: ${place}\n`);
      expect(lstatSync(place)).toBeDefined();
    }
    expect(existsSync(places.bash)).toBe(false);
  });

  test("of a clone that was moved is mended by running it again, or goes all the same", () => {
    expect(install()).toMatchObject(good);
    const moved = join(home, "moved");
    const other = join(home, "other");
    renameSync(root, moved);
    const again = install([], {}, moved);
    expect(again).toMatchObject(good);
    expect(again.stdout).toContain(`Put there:     ${places.link}\n`);
    expect(readlinkSync(places.link)).toBe(join(moved, "bin/repoman"));
    // Another checkout's is left to that.
    for (const part of ["host", "tools"]) {
      cpSync(join(moved, part), join(other, part), { recursive: true });
    }
    put(join(other, "package.json"), '{ "type": "module" }');
    const { stdout } = uninstall([], {}, other);
    expect(stdout).toContain(`Stays, since ${moved}/bin/repoman is what was installed there`);
    expect(existsSync(places.man)).toBe(true);
    renameSync(moved, root);
    expect(uninstall([], {}, other)).toMatchObject(good);
    for (const place of Object.values(places)) expect(existsSync(place)).toBe(false);
    expect(lstatSync(places.link, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("below DESTDIR, as npm runs it: nothing that is written knows of it", () => {
    const npm = (name: string) =>
      spawnSync("npm", ["run", "--silent", name, "--", "PREFIX=/usr/x", "DESTDIR=pkg"], {
        cwd: join(root, "tools"),
        env: { ...env, PREFIX: "/not/this", npm_config_update_notifier: "false" },
        encoding: "utf8",
      });
    const { status, stderr } = npm("install-cli");
    expect({ status, stderr }).toEqual(good);
    // npm was started in tools/.
    const destdir = join(root, "tools/pkg");
    const places = placesBelow({ prefix: "/usr/x", destdir });
    for (const [name, place] of Object.entries(places)) {
      const text = name === "link" ? readlinkSync(place) : readFileSync(place, "utf8");
      expect(text).not.toContain(destdir);
    }
    expect(readFileSync(places.bash, "utf8")).toContain("'/usr/x/bin/repoman' __complete");
    expect(existsSync(record)).toBe(false);
    expect(npm("uninstall-cli").status).toBe(0);
    for (const place of Object.values(places)) expect(existsSync(place)).toBe(false);
  });

  test("says what cannot be written, and knows where else it was put", () => {
    put(join(home, "opt/share"), "a file\n");
    const blocked = install([], { PREFIX: join(home, "opt") });
    expect(blocked.status).toBe(3);
    expect(blocked.stderr).toMatch(/opt\/share\/man\/man1\/repoman\.1 could not be changed: \w+\n/);
    rmSync(join(home, "opt/share"));
    expect(install(["PREFIX=~/opt"]).stdout).toContain(`${home}/opt/bin is not in PATH`);
    expect(uninstall().stdout).toContain(`Taken away: ${home}/opt/bin/repoman\n`);
  });

  test("says what is left to do before shells find it", () => {
    const { link, zsh } = placesBelow({ prefix: join(home, "a $b") });
    const where = { ...placesBelow({ prefix: "/x" }), link, zsh };
    script(link, "exit 0");
    script(join(home, "other/repoman"), "exit 0");
    const path = "/usr/bin:/bin";
    const said = (PATH: string, more = {}) => advice(where, userOf(home, { PATH, ...more }));
    expect(said(path)).toEqual([
      `${dirname(link)} is not in PATH. In ~/.profile: export PATH='${dirname(link)}':"$PATH"`,
      `zsh does not look for completions in ${dirname(zsh)}. In ~/.zshrc, before compinit: fpath=('${dirname(zsh)}' $fpath)`,
    ]);
    const FPATH = dirname(zsh);
    expect(said(`${dirname(link)}:${path}`, { FPATH })).toEqual([]);
    expect(said(`${home}/other:${dirname(link)}:${path}`, { FPATH })).toEqual([
      `${home}/other/repoman comes before it in PATH, and is what "repoman" starts.`,
    ]);
  });

  test.each([
    [["--prefix=/x"], '"--prefix=/x" is neither PREFIX=… nor DESTDIR=…'],
    [["PREFIX=x/y"], 'PREFIX "x/y" is not an absolute path'],
    [["PREFIX=/x\ny"], "is not an absolute path"],
  ])("%j is bad usage", (args, what) => {
    expect(() => settings(args, {})).toThrow(what);
  });
});

test("a checkout that is packaged itself is linked to where it will be", () => {
  expect(programOf("/build/pkg/usr/lib/repoman", "/build/pkg")).toBe(
    "/usr/lib/repoman/bin/repoman",
  );
  expect(programOf("/build/repoman", "/build/pkg")).toBe("/build/repoman/bin/repoman");
  expect(programOf("/opt/repoman", "")).toBe("/opt/repoman/bin/repoman");
});

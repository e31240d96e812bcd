import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { prepareDemo } from "../../example/prepare.js";
import { paths as hostPaths } from "../../host/paths.js";
import { readEstate } from "../../registry/estate.ts";
import { put, tempFolder, userOf } from "../tools/temp.ts";

const VENDOR = new URL("../../profiles", import.meta.url).pathname;

/** A user whose demo has its image already, so that no server is asked. */
function user(more: NodeJS.ProcessEnv = {}) {
  const env = userOf(tempFolder(), more);
  const paths = hostPaths(env);
  const folder = join(paths.dataDir, "demo");
  put(join(folder, ".written.json"), JSON.stringify({ image: "images:debian/12/cloud" }));
  const prepare = () => prepareDemo({ paths, env, progress: { step: () => {} } });
  return { env, folder, prepare, registry: join(folder, "repoman.toml") };
}

const git = (folder: string, ...args: string[]) =>
  execFileSync("git", ["-c", "safe.directory=*", "-C", folder, ...args], { encoding: "utf8" });

/** Every file below with its time of change, but for git's own. */
const snapshot = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.includes(".git/"))
    .sort()
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`);

describe("the demo estate", () => {
  test("is three repositories with a commit each, written by nobody real", async () => {
    const { folder, prepare } = user({ GIT_AUTHOR_NAME: "Real Person" });
    await prepare();
    const names = readdirSync(join(folder, "repos"));
    expect(names).toHaveLength(3);
    for (const name of names) {
      const repository = join(folder, "repos", name);
      expect(git(repository, "status", "--porcelain")).toBe("");
      expect(git(repository, "log", "--format=%an")).toBe("repoman demo\n");
      expect(git(repository, "ls-files").split("\n").length).toBeGreaterThan(2);
    }
    expect(names).toContain("website");
  });

  test("has a registry that holds to every rule, with two profiles of its own", async () => {
    const { env, registry, prepare } = user();
    expect(await prepare()).toEqual({ registry, stack: "demo", image: "images:debian/12/cloud" });
    const estate = await readEstate({ file: registry, env, vendorDir: VENDOR });
    expect(estate.problems).toEqual([]);
    expect(estate.registry.defaults.incusProject).toBe("repoman-demo");
    expect(estate.registry.projects.map(({ name }) => name)).toEqual(["website", "tally", "notes"]);
    const used = new Set(estate.registry.projects.flatMap(({ profiles }) => profiles));
    expect([...used].sort()).toEqual(["default", "demo-limits", "demo-tools"]);
    for (const name of ["demo-limits", "demo-tools"]) {
      expect(estate.library.get(name)).toMatchObject({ source: "user", unresolved: [] });
    }
    // The .repoman.toml of one of them.
    expect(estate.registry.warnings.map(({ project }) => project)).toEqual(["notes"]);
  });

  test("is left exactly as it is when it is laid out again", async () => {
    const { folder, prepare } = user();
    await prepare();
    const before = snapshot(folder);
    await prepare();
    expect(snapshot(folder)).toEqual(before);
  });

  test("never gets back what the user has changed in it", async () => {
    const { folder, registry, prepare } = user();
    await prepare();
    const mine = `${readFileSync(registry, "utf8")}\n# mine\n`;
    writeFileSync(registry, mine);
    put(join(folder, "profiles.d/demo-limits.yml"), "name: demo-limits\n");
    put(join(folder, "repos/notes/README.md"), "mine\n");
    await prepare();
    expect(readFileSync(registry, "utf8")).toBe(mine);
    expect(readFileSync(join(folder, "profiles.d/demo-limits.yml"), "utf8")).toMatch(/^name.*\n$/);
    expect(readFileSync(join(folder, "repos/notes/README.md"), "utf8")).toBe("mine\n");
  });

  test("gets the newer text of what the user has not changed", async () => {
    const { folder, registry, prepare } = user();
    await prepare();
    const current = readFileSync(registry, "utf8");
    // As an earlier release would have left it.
    const record = JSON.parse(readFileSync(join(folder, ".written.json"), "utf8"));
    const { createHash } = await import("node:crypto");
    writeFileSync(registry, "# earlier\n");
    record.files["repoman.toml"] = createHash("sha256").update("# earlier\n").digest("hex");
    put(join(folder, ".written.json"), JSON.stringify(record));
    await prepare();
    expect(readFileSync(registry, "utf8")).toBe(current);
  });

  test("is completed when it was cut off, or when part of it was deleted", async () => {
    const { folder, registry, prepare } = user();
    await prepare();
    rmSync(join(folder, "repos/tally"), { recursive: true });
    rmSync(registry);
    mkdirSync(join(folder, ".making.Xy12zW"));
    await prepare();
    expect(git(join(folder, "repos/tally"), "log", "--oneline")).toMatch(/Begin/);
    expect(readFileSync(registry, "utf8")).toContain("[[project]]");
  });

  test("takes a port that nobody listens on, and keeps to it", async () => {
    const busy = createServer();
    onTestFinished(() => void busy.close());
    await new Promise((resolve, reject) => {
      busy.once("listening", resolve);
      // Taken by something else on this machine: as good.
      busy.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
      );
      busy.listen(8300, "127.0.0.1");
    });
    const { registry, prepare } = user();
    await prepare();
    const port = () => readFileSync(registry, "utf8").match(/"(\d+):8000"/)?.[1];
    const first = port();
    expect(Number(first)).toBeGreaterThan(8300);
    // Now it is the container's, and no longer free.
    await prepare();
    expect(port()).toBe(first);
  });

  test("may lie below any path", async () => {
    const odd = join(tempFolder(), 'q"uo\\te ü\u007f');
    const { env, registry, prepare } = user({ XDG_DATA_HOME: odd });
    await prepare();
    const { problems, registry: read } = await readEstate({
      file: registry,
      env,
      vendorDir: VENDOR,
    });
    expect(problems).toEqual([]);
    expect(read.defaults.reposRoot).toBe(join(odd, "repoman/demo/repos"));
  });
});

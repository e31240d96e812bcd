import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { layout, ROOT } from "../../tools/toolchain.js";
import { pinned } from "../../tools/versions.js";
import { put, script, tempFolder, userOf } from "./temp.ts";

const ECHO = `
  process.stdout.write(JSON.stringify({
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    root: process.env.REPOMAN_ROOT,
    path: process.env.PATH,
    node: process.execPath,
  }) + "\\n");`;

interface Said {
  argv: string[];
  cwd: string;
  root: string;
  path: string;
  node: string;
}

/**
 * A checkout in a folder with blanks in its name, whose command line says how it was started, and
 * a machine on which all that set-up looks for is there.
 */
function machine() {
  const home = tempFolder();
  const root = join(tempFolder(), "my projects/repoman it's");
  for (const part of ["bin", "host", "tools"]) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  cpSync(join(ROOT, "package.json"), join(root, "package.json"));
  put(join(root, "package-lock.json"), JSON.stringify({ packages: { "": {} } }));
  put(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: {} }));
  put(join(root, "cli/main.ts"), ECHO);
  // A Go that can build nothing, or set-up would get one.
  script(join(home, "go/go"), "case $1 in version) echo go1.26.0 ;; *) exit 1 ;; esac");
  const env = userOf(home, { PATH: `${home}/go:${dirname(process.execPath)}:/usr/bin:/bin` });
  const { pulumi, plugin } = layout(env);
  const folder = pulumi(pinned(ROOT, "@pulumi/pulumi"));
  script(join(folder, "pulumi"), "echo v3.258.0");
  put(`${plugin("command", pinned(ROOT, "@pulumi/command"))}.missed`, "no network\n");
  const repoman = join(root, "bin/repoman");
  const run = (options: { file?: string; args?: string[]; cwd?: string; env?: object } = {}) => {
    const { file = repoman, args = [], cwd = home } = options;
    const result = spawnSync(file, args, {
      cwd,
      env: { ...env, ...options.env },
      encoding: "utf8",
    });
    const said = result.stdout.startsWith("{") ? (JSON.parse(result.stdout) as Said) : undefined;
    return { ...result, said };
  };
  return { root, home, env, folder, repoman, run };
}

describe("bin/repoman", { timeout: 30_000 }, () => {
  test("sets up what is missing, then runs the command line with the toolchain in PATH", () => {
    const { root, home, folder, run } = machine();
    const { said, stderr, status } = run({ args: ["a b", "", "--c=$d"] });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(said).toMatchObject({ argv: ["a b", "", "--c=$d"], cwd: home, root });
    expect(said?.node).toBe(process.execPath);
    expect(said?.path.split(":")[0]).toBe(folder);
  });

  test("works through links, from any folder, and by a relative name", () => {
    const { root, home, repoman, run } = machine();
    const bin = join(home, ".local/my bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync(repoman, join(home, "direct"));
    symlinkSync("../../direct", join(bin, "repoman"));
    const roots = [
      run({ file: join(bin, "repoman"), cwd: "/" }),
      run({ file: "bin/repoman", cwd: root }),
      run({ file: "./repoman", cwd: join(root, "bin") }),
      run({ file: "repoman", env: { PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin` } }),
      run({ file: "/bin/sh", args: ["repoman"], cwd: join(root, "bin"), env: { CDPATH: home } }),
    ].map(({ said, stderr }) => said?.root ?? stderr);
    expect(roots).toEqual(roots.map(() => root));
  });

  test("starts one process of Node when all is ready", () => {
    const { run, root } = machine();
    run();
    // Set-up would fail: it is not even started.
    rmSync(join(root, "tools/launch.js"));
    expect(run().said?.root).toBe(root);
  });

  test.each(["package-lock.json", "node_modules/.package-lock.json", "tools/setup.js"])(
    "looks again when %s has changed",
    (file) => {
      const { run, root } = machine();
      run();
      rmSync(join(root, "tools/launch.js"));
      appendFileSync(join(root, file), "\n");
      expect(run().status).not.toBe(0);
    },
  );

  test("looks again when Pulumi is gone, and says what went wrong", () => {
    const { run, folder } = machine();
    run();
    rmSync(folder, { recursive: true });
    const { status, stderr } = run({ env: { REPOMAN_PULUMI_RELEASES: "none" } });
    expect(status).toBe(3);
    expect(stderr).toContain("repoman: pulumi could not be built");
  });

  test("says what to do where there is no Node at all", () => {
    const { run, home } = machine();
    const tools = join(home, "tools");
    mkdirSync(tools);
    for (const name of ["sh", "readlink", "stat", "getent", "cut", "id"]) {
      symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(tools, name));
    }
    const none = run({ env: { PATH: tools } });
    expect(none.status).toBe(3);
    expect(none.stderr).toMatch(/there is no Node.js in PATH\n.*Install Node.js 20/);
  });

  test("is told apart from another checkout's set-up", () => {
    const one = machine();
    one.run();
    const stamp = layout(one.env).stamp(one.root);
    expect(readFileSync(stamp, "utf8").split("\n")[0]).toBe(process.execPath);
    expect(stamp.endsWith(`/ready${one.root}/.stamp`)).toBe(true);
  });
});

import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { words } from "../../tools/language-host/program.js";
import { writeLaunchers } from "../../tools/launchers.js";
import { layout, ROOT, readStamp } from "../../tools/toolchain.js";
import { which } from "../../tools/which.js";
import { put, tempFolder } from "./temp.ts";

/** The engine of this machine, beside which our language host is put. */
function engine(): string {
  const toolchain = { ...process.env, REPOMAN_TOOLCHAIN: process.env.REPOMAN_RIG_TOOLCHAIN };
  const file =
    readStamp(toolchain.REPOMAN_TOOLCHAIN ? toolchain : process.env, ROOT)?.pulumi ??
    which("pulumi", process.env.PATH);
  if (!file) throw new Error(`no pulumi in ${layout(toolchain).folder} or PATH: run npm test`);
  return file;
}

const PROGRAM = `
import { Config, getOrganization, getProject, getStack, dynamic } from "@pulumi/pulumi";
const config = new Config();
const provider: dynamic.ResourceProvider = {
  create: async ({ say }) => ({ id: "1", outs: { said: say + " from " + process.title.slice(0, 4) } }),
};
class Echo extends dynamic.Resource {
  declare readonly said: unknown;
  constructor(name: string) { super(provider, name, { say: "hello", said: undefined }); }
}
export const said = new Echo("echo").said;
export const names = [getOrganization(), getProject(), getStack()].join("/");
export const answer = config.requireNumber("answer");
export const hidden = config.requireSecret("key");
export const heap = process.execArgv.join(" ");
console.log("to stdout");
console.error("to stderr");
`;

// Shared: with a cold one each start of Node takes twice as long.
const shared = realpathSync(mkdtempSync(join(tmpdir(), "repoman language host ")));
const compileCache = join(shared, "compile-cache");
afterAll(() => rmSync(shared, { recursive: true, force: true }));

let made: ReturnType<typeof makeProject> | undefined;

/** The one project of this file, with this program. */
function project(program: string) {
  made ??= makeProject();
  put(join(made.folder, "index.ts"), program);
  return made;
}

function makeProject() {
  const folder = join(shared, "a project");
  const home = join(shared, "home");
  mkdirSync(join(home, "backend"), { recursive: true });
  mkdirSync(folder, { recursive: true });
  // Where the engine lies is where it looks for plugins, links followed.
  copyFileSync(engine(), join(home, "pulumi"));
  writeLaunchers(home);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  put(
    join(folder, "Pulumi.yaml"),
    "name: tiny\nruntime:\n  name: nodejs\n  options: {typescript: false, nodeargs: '--max-old-space-size=512 --title=\"tiny one\"'}\nmain: index.ts\n",
  );
  put(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", dependencies: { "@pulumi/pulumi": "*" } }),
  );
  const env = {
    HOME: home,
    PATH: `${home}:${dirname(process.execPath)}:/usr/bin:/bin`,
    REPOMAN_ROOT: ROOT,
    PULUMI_HOME: join(home, "pulumi-home"),
    PULUMI_BACKEND_URL: `file://${join(home, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "p",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    NODE_COMPILE_CACHE: compileCache,
  };
  const pulumi = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      join(home, "pulumi"),
      [...args, "--non-interactive"],
      { cwd: folder, env, encoding: "utf8", timeout: 60_000 },
    );
    return { status, stdout, all: stdout + stderr };
  };
  pulumi("stack", "init", "dev");
  return { folder, home, env, pulumi };
}

/** Processes whose environment or arguments name the folder. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return (
        readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder) &&
        !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
      );
    } catch {
      return false;
    }
  });
}

describe("the language host", { timeout: 120_000 }, () => {
  test("runs a program for the real engine: config, secrets, output, dynamic resources", () => {
    const { pulumi } = project(PROGRAM);
    pulumi("config", "set-all", "--plaintext", "answer=42", "--secret", "key=s e'c\"ret");
    const up = pulumi("up", "--yes", "--skip-preview");
    expect(up.all).toMatch(/to stdout/);
    expect(up.all).toMatch(/to stderr/);
    // No word about where plugins came from, or that one is missing.
    expect(up.all).not.toMatch(/warning/i);
    expect(up.status).toBe(0);
    expect(up.all).not.toContain("s e'c");
    const outputs = JSON.parse(pulumi("stack", "output", "--json", "--show-secrets").stdout);
    expect(outputs).toMatchObject({
      said: "hello from node",
      names: "organization/tiny/dev",
      answer: 42,
      hidden: "s e'c\"ret",
      heap: "--max-old-space-size=512 --title=tiny one",
    });
    expect(pulumi("preview", "--expect-no-changes").status).toBe(0);
    expect(pulumi("about").all).toMatch(/languageHost='repoman'/);
  });

  test("tells of a program that throws, once and without a second message of its own", () => {
    const { pulumi } = project("throw new Error('broken by design');");
    const { status, all } = pulumi("preview");
    expect(status).not.toBe(0);
    expect(all).toContain("broken by design");
    expect(all).not.toContain("the program ended");
  });

  test.each([
    ["process.exit(7);", "the program ended with exit code 7"],
    ["process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);", "ended by SIGTERM"],
  ])("tells how a program ended: %s", (program, message) => {
    const { status, all } = project(program).pulumi("preview");
    expect(status).not.toBe(0);
    expect(all).toContain(message);
  });

  test("says what to do where the SDK is not installed", () => {
    const { env, home } = project("");
    const empty = tempFolder();
    const { status, stderr } = spawnSync(join(home, "pulumi-language-nodejs"), ["127.0.0.1:1"], {
      cwd: empty,
      env: { ...env, REPOMAN_ROOT: empty },
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/main\.js|no @pulumi\/pulumi below/);
    const unset = spawnSync(join(home, "pulumi-language-nodejs"), [], {
      env: { PATH: env.PATH },
      encoding: "utf8",
    });
    expect(unset.stderr).toMatch(/REPOMAN_ROOT: is not set; run: eval "\$\(repoman env\)"/);
  });

  test("ends with its program when the engine is killed", async () => {
    const { folder, env, home } = project("console.log('waiting'); setInterval(() => {}, 1000);");
    const child = spawn(join(home, "pulumi"), ["preview", "--non-interactive"], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (text) => String(text).includes("waiting") && resolve());
    });
    expect(processesOf(home).length).toBeGreaterThanOrEqual(3);
    child.kill("SIGKILL");
    await expect.poll(() => processesOf(home), { timeout: 3000 }).toEqual([]);
  });

  test("ends with its program when the user interrupts", async () => {
    const { folder, env, home } = project("console.log('waiting'); setInterval(() => {}, 1000);");
    const child = spawn(join(home, "pulumi"), ["preview", "--non-interactive"], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (text) => String(text).includes("waiting") && resolve());
    });
    child.kill("SIGINT");
    await expect.poll(() => processesOf(home), { timeout: 10_000 }).toEqual([]);
  });
});

test("arguments for Node are split as a shell does", () => {
  expect(words(`--a=1 "--b=two words" --c='it is'x  `)).toEqual([
    "--a=1",
    "--b=two words",
    "--c=it isx",
  ]);
  expect(words("")).toEqual([]);
});

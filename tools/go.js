import { readdirSync } from "node:fs";
import { cp, mkdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { addBackports, available, install, refresh } from "./incus/apt.js";
import { askForRoot } from "./root.js";
import { must, run } from "./run.js";
import { layout } from "./toolchain.js";
import { isAtLeast } from "./versions.js";
import { isExecutable, whichAll } from "./which.js";

/** @typedef {import("./step.js").Context} Context */

/** The first Go that gets the one that a module asks for by itself. */
const OLDEST_GO = "1.21.0";

/** What sources, packages in the making and the result take at the worst. */
const BUILD_BYTES = 4e9;

const APT_GO = [26, 25, 24, 23, 22, 21].map((minor) => `golang-1.${minor}-go`);

/**
 * Builds a Go program from pinned modules, with caches of its own so that nothing of the user's is
 * touched. go.sum has the hash of every module, and a build never alters it.
 *
 * @param {Context} context
 * @param {object} build
 * @param {string} build.module folder with go.mod and go.sum
 * @param {string} build.program the path of the Go package
 * @param {string} build.flags for the linker
 * @param {string} build.target the executable; replaced whole
 */
export async function buildGo(context, { module, program, flags, target }) {
  const { env, progress } = context;
  const { build, logs } = layout(env);
  const go = await findGo(context);
  const scratch = join(build, "tmp");
  await mkdir(build, { recursive: true });
  await needRoom(build);
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  // Go treats go.mod as its own; a copy keeps the checkout as it is.
  const name = program.split("/").at(-1) ?? "program";
  const folder = join(build, name);
  await rm(folder, { recursive: true, force: true });
  await cp(module, folder, { recursive: true });
  const made = join(build, `${name}.made`);
  progress.step("getting the sources");
  let compiled = 0;
  let fetched = 0;
  await must(
    `${name} could not be built`,
    go,
    ["build", "-v", "-trimpath", "-mod=readonly", "-modcacherw", "-ldflags", flags].concat([
      "-o",
      made,
      program,
    ]),
    {
      cwd: folder,
      leashed: true,
      env: {
        ...env,
        GOTOOLCHAIN: "auto",
        GOPATH: join(build, "go"),
        GOMODCACHE: join(build, "modules"),
        GOCACHE: join(build, "cache"),
        // In /tmp, what Go is working on stays there when it is killed.
        GOTMPDIR: scratch,
        // Whatever the user works on must not leak in.
        GOFLAGS: "-buildvcs=false",
        GOWORK: "off",
        CGO_ENABLED: "0",
      },
      timeoutMs: 60 * 60_000,
      log: join(logs, `${name}.log`),
      onLine: (line) => {
        if (line.startsWith("go: downloading")) {
          progress.step(`getting the sources, ${++fetched} modules`);
        } else if (!line.startsWith("go: ")) {
          progress.step(`compiling, ${++compiled} packages`);
        }
      },
      remedy:
        "Run it again: it goes on where it stopped. Or install Pulumi and see that it is in PATH.",
    },
  );
  await rename(made, target);
}

/**
 * Removes the sources and caches of builds, some 3 GB.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export async function removeBuilds(env) {
  await rm(layout(env).build, { recursive: true, force: true });
}

/**
 * @param {string} folder
 * @param {number} [bytes]
 */
export async function needRoom(folder, bytes = BUILD_BYTES) {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  // What an interrupted build left counts as room that is there.
  if (free >= bytes || readdirSync(folder).length > 0) return;
  const gigabytes = (/** @type {number} */ bytes) => (bytes / 1e9).toFixed(1);
  throw new Fault(
    `Building Pulumi takes ${gigabytes(bytes)} GB for a while, and ${folder} has ${gigabytes(free)} GB`,
    {
      remedy: "Make room, set XDG_CACHE_HOME to a folder on another disk, or install Pulumi.",
      exitCode: EXIT.environment,
    },
  );
}

/**
 * A Go that is new enough: from PATH or where it is usually put, else from apt.
 *
 * @param {Context} context
 */
async function findGo(context) {
  const found = await installedGo(context.env);
  if (found) return found;
  await installGo(context);
  const installed = await installedGo(context.env);
  if (installed) return installed;
  throw new Fault("apt installed Go, and it is nowhere to be found", {
    remedy: "Install Go 1.21 or newer and see that it is in PATH, or install Pulumi.",
    exitCode: EXIT.environment,
  });
}

/** @param {NodeJS.ProcessEnv} env */
async function installedGo(env) {
  const usual = ["/usr/local/go/bin/go", "/usr/lib/go/bin/go"];
  for (const package_ of APT_GO) {
    usual.push(`/usr/lib/${package_.replace("golang", "go").replace(/-go$/, "")}/bin/go`);
  }
  for (const go of [...whichAll("go", env.PATH), ...usual.filter(isExecutable)]) {
    const { code, stdout } = await run(go, ["version"], {
      env: { ...env, GOTOOLCHAIN: "local" },
      timeoutMs: 20_000,
    });
    if (code === 0 && isAtLeast(stdout, OLDEST_GO)) return go;
  }
  return undefined;
}

/** @param {Context} context */
async function installGo({ progress }) {
  const offered = async () => {
    const names = await available(APT_GO);
    return APT_GO.find((name) => names.has(name));
  };
  askForRoot("Installing Go to build Pulumi", progress);
  let name = await offered();
  if (!name) {
    await refresh(progress);
    name = await offered();
  }
  if (!name) {
    const takeOut = await addBackports(progress);
    name = await offered();
    if (!name) await takeOut?.();
  }
  if (!name) {
    throw new Fault("Pulumi has to be built, and apt offers no Go that can", {
      remedy:
        "Install Pulumi (https://www.pulumi.com/docs/install/), or Go 1.21 or newer, and see that it is in PATH.",
      exitCode: EXIT.environment,
    });
  }
  await install([name], "Installing Go", progress);
}

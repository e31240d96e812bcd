import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../host/fault.js";
import { buildGo, removeBuilds } from "./go.js";
import { launchersReady, writeLaunchers } from "./launchers.js";
import { chosenNode } from "./node.js";
import { pulumiPlaces, unpackRelease } from "./release.js";
import { must, run } from "./run.js";
import { layout } from "./toolchain.js";
import { isAtLeast, OLDEST_PULUMI, pinned } from "./versions.js";
import { which, whichAll } from "./which.js";

/** @typedef {import("./step.js").Context} Context */

const HOST = "pulumi-language-nodejs";

/**
 * The Pulumi of this toolchain: the SDK's version.
 *
 * @param {Pick<Context, "root" | "env">} context
 */
function own({ root, env }) {
  const version = pinned(root, "@pulumi/pulumi");
  const folder = layout(env).pulumi(version);
  return { version, folder, pulumi: join(folder, "pulumi") };
}

/**
 * Whether a folder of ours is whole: it gets its name when it is. Where the release's own language
 * host is missing, it was built and needs ours.
 *
 * @param {string} folder
 */
function wholeFolder(folder) {
  if (!existsSync(join(folder, "pulumi"))) return false;
  return !existsSync(join(folder, "built")) || launchersReady(folder);
}

/**
 * The Pulumi to use.
 *
 * @param {Context} context
 * @returns {Promise<string | undefined>} the executable; undefined where set-up has to get one
 */
export async function foundPulumi(context) {
  const { env } = context;
  const { folder, pulumi } = own(context);
  if (wholeFolder(folder)) return pulumi;
  for (const candidate of whichAll("pulumi", env.PATH)) {
    // An older one of ours, in PATH since `repoman env`, is no choice of the user's.
    if (candidate.startsWith(layout(env).folder)) continue;
    if (await isSuitable(candidate, env)) return candidate;
  }
  return undefined;
}

/**
 * @param {string} pulumi
 * @param {NodeJS.ProcessEnv} env
 */
async function isSuitable(pulumi, env) {
  // Without its language host no program runs, and ours beside it would be a change to a folder
  // that is not ours.
  const beside = join(dirname(realpathSync(pulumi)), HOST);
  if (!existsSync(beside) && !which(HOST, env.PATH)) return false;
  const outcome = await run(pulumi, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: 20_000,
  }).catch(() => undefined);
  return outcome?.code === 0 && isAtLeast(outcome.stdout, OLDEST_PULUMI);
}

/** @type {import("./step.js").Step} */
export const pulumiStep = {
  name: "Pulumi",
  ready: async (context) => (await foundPulumi(context)) !== undefined,
  async run(context) {
    const { env, progress } = context;
    const { version, folder, pulumi } = own(context);
    if (existsSync(pulumi)) return writeLaunchers(folder);
    const temporary = `${folder}.${process.pid}.tmp`;
    try {
      const why = await unpackRelease(pulumiPlaces(version, env), temporary, {
        node: chosenNode(context),
        env,
        // The language hosts of other languages take 300 MB.
        tar: ["--strip-components=1", "--wildcards", "pulumi/pulumi", "pulumi/*nodejs"],
        onProgress: (text) => progress.step(text),
      });
      if (why) {
        progress.line(
          "Pulumi's releases are out of reach: it is built here, which takes some minutes.",
        );
        await rm(temporary, { recursive: true, force: true });
        await mkdir(temporary, { recursive: true });
        await build(context, version, join(temporary, "pulumi"), why);
        // Tells later looks that the language host has to be ours.
        await writeFile(join(temporary, "built"), `${why}\n`);
        writeLaunchers(temporary);
      }
      await must(
        `Pulumi ${version} does not run on this machine`,
        join(temporary, "pulumi"),
        ["version"],
        {
          env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
          timeoutMs: 60_000,
        },
      );
      await rm(folder, { recursive: true, force: true });
      await rename(temporary, folder);
      await removeBuilds(env);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
};

/**
 * @param {Context} context
 * @param {string} version
 * @param {string} target
 * @param {string} why the release could not be had
 */
async function build(context, version, target, why) {
  const module = join(context.root, "tools/pulumi");
  const pin = `github.com/pulumi/pulumi/pkg/v3 v${version}`;
  if (!readFileSync(join(module, "go.mod"), "utf8").includes(`${pin}\n`)) {
    throw new Error(`tools/pulumi/go.mod does not pin ${pin}, as package.json does`);
  }
  try {
    await buildGo(context, {
      module,
      program: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      flags: `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`,
      target,
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.what, {
      remedy: `${error.remedy ?? ""}\nA release would do as well, but: ${why}`.trim(),
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

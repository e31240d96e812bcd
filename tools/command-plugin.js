import {
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { chosenNode } from "./node.js";
import { pluginPlaces, unpackRelease } from "./release.js";
import { layout } from "./toolchain.js";
import { pinned } from "./versions.js";

const EXECUTABLE = "pulumi-resource-command";

/** After which a release that was out of reach is asked for again. */
const RETRY_MS = 24 * 60 * 60 * 1000;

/**
 * @param {Pick<import("./step.js").Context, "root" | "env">} context
 */
function own({ root, env }) {
  const version = pinned(root, "@pulumi/command");
  const folder = layout(env).plugin("command", version);
  return { version, folder, plugin: join(folder, EXECUTABLE), missed: `${folder}.missed` };
}

/**
 * The plugin of `@pulumi/command`. Only what runs commands of the host needs it, so that a network
 * in which its release cannot be had is a warning.
 *
 * @type {import("./step.js").Step}
 */
export const commandPluginStep = {
  name: "Plugin of @pulumi/command",
  ready(context) {
    const { plugin, missed } = own(context);
    if (existsSync(plugin)) return true;
    const last = statSync(missed, { throwIfNoEntry: false });
    return last !== undefined && Date.now() - last.mtimeMs < RETRY_MS;
  },
  async run(context) {
    const { version, folder, missed } = own(context);
    const { env, progress } = context;
    const temporary = `${folder}.${process.pid}.tmp`;
    try {
      const why = await unpackRelease(pluginPlaces("command", version, env), temporary, {
        node: chosenNode(context),
        env,
        tar: [EXECUTABLE],
        onProgress: (text) => progress.step(text),
      });
      if (why) {
        writeFileSync(missed, `${why}\n`);
        progress.line(
          `Warning: the plugin of @pulumi/command ${version} could not be had (${why}).`,
        );
        progress.line("  What runs commands of this host will fail without it; all else works.");
        return;
      }
      await rm(folder, { recursive: true, force: true });
      await rename(temporary, folder);
      await rm(missed, { force: true });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
};

/**
 * Puts the plugin of `@pulumi/command` into Pulumi's home, if set-up got it: a link, so that the
 * homes of tests cost nothing.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root the project's folder
 */
export function linkCommandPlugin(env, root) {
  const { version, plugin } = own({ env, root });
  if (!existsSync(plugin)) return;
  const home = env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi");
  const target = join(home, "plugins", `resource-command-v${version}`);
  if (existsSync(join(target, EXECUTABLE))) return;
  // Pulumi takes a folder of that name for a whole plugin, unless a file beside it says otherwise.
  const temporary = `${target}.${process.pid}.tmp`;
  mkdirSync(dirname(target), { recursive: true });
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  symlinkSync(plugin, join(temporary, EXECUTABLE));
  try {
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

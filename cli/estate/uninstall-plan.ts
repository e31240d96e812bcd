// What repoman has put on this host for a stack, and what of it would go. Only looks.

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { exists } from "../../host/files.js";
import { type Paths, paths } from "../../host/paths.js";
import { within } from "../../registry/paths.ts";
import { ownIsThere } from "../../tools/incus/discard.js";
import { lentFile, readLent } from "../../tools/incus/subids.js";
import { installed } from "../../tools/install/owned.js";
import { RECORD } from "../../tools/install/record.js";
import { layout } from "../../tools/toolchain.js";
import { registryFile } from "../preflight.ts";
import { fileBackend } from "../pulumi/backend.ts";
import { readDeployment, stackExists } from "../pulumi/stack.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import { isKept } from "../registry/keep-old.ts";
import type { Setting } from "../setting.ts";

/** One thing, in words, and where it is. */
export interface Thing {
  what: string;
  place?: string;
}

export interface UninstallPlan {
  goes: Thing[];
  stays: Thing[];
  /** Whether Pulumi has the stack. */
  hasStack: boolean;
  /** Whether nothing else on this host needs what stacks share: toolchain, daemon, lent ids. */
  last: boolean;
  hasOwnDaemon: boolean;
  /** Links that lead to this copy of repoman, and what else `install-cli` has put there. */
  installed: string[];
  /** Files and folders of the stack's own. */
  ofStack: string[];
  /** What the last stack takes along from the state directory. */
  ofState: string[];
  /** What `--purge` takes along. */
  purged: string[];
  cache: string | undefined;
}

const ESTATE: readonly [type: string, what: string][] = [
  ["RepoContainer", "container"],
  ["IncusProfile", "profile"],
  ["IncusProject", "Incus project"],
];

/** Below the state directory; the journal and the records of backups are not among it. */
const STATE = ["pulumi", "pulumi-home", "passphrase", "stacks", "console", "registry.lock", RECORD];

export async function planUninstall(
  setting: Setting,
  { purge = false }: { purge?: boolean } = {},
): Promise<UninstallPlan> {
  const { env, root, stack, stackDir } = setting;
  const places = paths(env);
  const configFile = stackConfigFile(root, stack);
  const config = await readStackConfig(configFile);
  const hasStack = await stackExists(setting);
  const others = await otherStacks(setting);
  const last = others.length === 0;
  const goes: Thing[] = [];
  const stays: Thing[] = [];

  if (hasStack) {
    const { resources = [] } = (await readDeployment(setting)) ?? {};
    for (const [type, what] of ESTATE) {
      const names = resources
        .filter((each) => each.type.endsWith(`:${type}`))
        .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
      if (names.length > 0) goes.push({ what: `${what} ${names.sort().join(", ")}` });
    }
    goes.push({ what: `the stack "${stack}" in Pulumi's state` });
  }
  const id = config.stackId;
  const ofStack = [
    configFile,
    stackDir,
    ...(id === undefined ? [] : [join(dirname(stackDir), `${id}.provider.lock`)]),
  ].filter(existsSync);
  goes.push(...ofStack.map((place) => ({ what: "what is kept of the stack", place })));

  const hasOwnDaemon = ownIsThere(places);
  const lent = readLent(lentFile(places));
  const byInstallCli = installed(places, root);
  const links = [
    ...new Set([...linksTo(join(root, "bin/repoman"), places, env), ...byInstallCli.links]),
  ];
  const things: (Thing & { place: string })[] = [
    ...links.map((place) => ({ what: "a link to repoman", place })),
    ...byInstallCli.files.map((place) => ({ what: "manual page or completion", place })),
  ];
  const ours = things.filter(({ place }) => isWritable(dirname(place)));
  const { folder } = layout(env);
  const cache = (await exists(places.cacheDir)) ? places.cacheDir : undefined;
  const shared: Thing[] = [
    ...(hasOwnDaemon
      ? [{ what: "repoman's own Incus, with its images", place: join(places.stateDir, "incus") }]
      : []),
    ...lent.map(({ kind, id: each }) => ({ what: `root:${each}:1`, place: `/etc/sub${kind}` })),
    ...ours,
    ...(cache === undefined ? [] : [{ what: "the toolchain and other caches", place: cache }]),
  ];
  const ofState = STATE.map((name) => join(places.stateDir, name)).filter(existsSync);
  if (last) {
    goes.push(...shared);
    goes.push(...ofState.map((place) => ({ what: "what Pulumi and repoman keep", place })));
  } else {
    const why = `${others.join(", ")} needs it; repoman uninstall --stack ${others[0]}`;
    stays.push(...shared.map(({ what, place }) => ({ what: `${what}: ${why}`, ...at(place) })));
  }
  stays.push(
    ...things
      .filter((thing) => !ours.includes(thing))
      .map(({ what, place }) => ({ what: `${what}, which this user cannot remove`, place })),
  );
  if (!within(folder, places.cacheDir) && existsSync(folder)) {
    stays.push({ what: "the toolchain that REPOMAN_TOOLCHAIN names", place: folder });
  }

  const registry = registryFile(setting, config);
  const beside = dirname(registry);
  const users = [
    registry,
    ...namesIn(beside)
      .filter((name) => isKept(name, basename(registry)))
      .map((name) => join(beside, name)),
    join(beside, "repos.d"),
    join(beside, "profiles.d"),
    join(places.dataDir, "trusted"),
    join(places.stateDir, "log"),
  ].filter(existsSync);
  const purges = purge && last;
  (purges ? goes : stays).push(
    ...users.map((place) => ({ what: "registry, overrides, profiles, trust, journal", place })),
  );
  stays.push({ what: "every repository and every backup, with the records of them" });
  stays.push({ what: "this copy of the project", place: root });
  return {
    goes,
    stays,
    hasStack,
    last,
    hasOwnDaemon,
    installed: ours.map(({ place }) => place),
    ofStack,
    ofState,
    purged: purges ? users : [],
    cache,
  };
}

/**
 * The other stacks of this host, wherever Pulumi keeps their state: those that a folder on this
 * machine holds, those with a config in the project's folder, and those that were seen in another
 * backend. One whose folder alone is left is gone: `pulumi stack rm` knows nothing of that.
 */
async function otherStacks({ env, root, project, stack, stackDir, backend }: Setting) {
  const stacksDir = dirname(stackDir);
  const own = fileBackend(`file://${join(paths(env).stateDir, "pulumi")}`, root);
  const listed = await Promise.all([backend, own].map((each) => each?.stacks(project) ?? []));
  const configured = namesIn(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  const elsewhere = namesIn(stacksDir).filter((name) => {
    const seen = join(stacksDir, name, "backend");
    return existsSync(seen) && readFileSync(seen, "utf8").trim() !== "";
  });
  const names = new Set([...listed.flat(), ...configured, ...elsewhere]);
  names.delete(stack);
  return [...names].sort();
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function at(place: string | undefined): { place?: string } {
  return place === undefined ? {} : { place };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The links to a program where programs are looked for. */
function linksTo(program: string, { home }: Paths, env: NodeJS.ProcessEnv): string[] {
  const folders = [join(home, ".local/bin"), ...(env.PATH ?? "").split(delimiter)];
  const links = folders
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, "repoman"));
  return [...new Set(links)].filter((link) => {
    if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
    return resolve(dirname(link), readlinkSync(link)) === program;
  });
}

import { userInfo } from "node:os";
import { dirname, join, resolve as resolvePath } from "node:path";
import { paths } from "../host/paths.js";
import { check, type Loose } from "./check.ts";
import { conflictsBetween } from "./conflicts.ts";
import { resolveDefaults } from "./defaults.ts";
import { type Document, parseDocument } from "./document.ts";
import { RegistryFault } from "./fault.ts";
import { type Finding, Findings } from "./findings.ts";
import { migrate } from "./migrate.ts";
import { checkWithin } from "./overlaps.ts";
import { readOverrides, reportStrayOverrides, reportSyntax } from "./overrides.ts";
import { repository } from "./paths.ts";
import { type Layer, merge } from "./precedence.ts";
import { readRegistryText } from "./registry-text.ts";
import type { Context } from "./reporter.ts";
import { type Resolved, resolve } from "./resolve.ts";
import { instanceName } from "./rules.ts";
import { BUILT_IN, type RegistryFile, registrySchema } from "./schema.ts";
import type { Facts } from "./substitute.ts";
import { quote } from "./text.ts";
import { REPOSITORY_FILE } from "./trust.ts";
import type { Defaults, Problem, Registry, User } from "./types.ts";
import { type Approved, excludeWarnings, type Wishes, wishesOf } from "./wishes.ts";

export interface LoadOptions {
  /** The registry; the user's own (`$XDG_CONFIG_HOME/repoman/repoman.toml`) unless given. */
  file?: string;
  /** What the file would say, to be judged before it is written; its overrides are read as ever. */
  text?: string;
  /** For XDG paths, `HOME`, and `LOCAL_REPOS` and `NFS_REPOS`. */
  env?: NodeJS.ProcessEnv;
  /** Whose registry it is; who runs this unless given. */
  user?: User;
  /**
   * What was approved of the `.repoman.toml`s of some projects, by name, in place of what is on
   * record (`repoman trust`), null for nothing: to see what would become of it.
   */
  approved?: ReadonlyMap<string, Approved | null>;
}

/**
 * Reads the registry with its overrides, checks all of it and resolves it to one effective
 * configuration per container. Reads files only, writes nothing and asks nothing of the host: that
 * a repository or a mount is really there is for others to find out.
 *
 * @throws RegistryFault with every problem of every file, each with its place and its remedy
 * @throws RegistryMissing where there is no registry
 */
export async function loadRegistry(options: LoadOptions = {}): Promise<Registry> {
  const { registry, problems } = await readRegistry(options);
  if (problems.length > 0) throw new RegistryFault(problems);
  return registry;
}

/**
 * The same, with the problems returned: for what shows them beside the rest.
 *
 * @returns the registry as far as it makes sense, and what variables stand for
 */
export async function readRegistry(
  options: LoadOptions = {},
): Promise<{ registry: Registry; facts: Facts; problems: Problem[] }> {
  const begun = await begin(options);
  const { env, file, findings, document, schema, data, lanIp, facts } = begun;
  const { defaults, backupRootOrigin, rootKnown } = begun;

  const overrides = await readOverrides(join(dirname(file), "repos.d"), findings);
  const context = { defaults, backupRules: data.defaults, facts, rootKnown };
  const wishes = await askAll(data, context, env, options.approved);
  const { all, warnings } = await resolveAll(document, data, overrides, wishes, context, findings);
  conflictsBetween(all, defaults, backupRootOrigin, findings);
  // What could not be read may hold the project that is missed here.
  if (document.syntax.length === 0 && Array.isArray(data.project ?? [])) {
    const names = new Set(all.map(({ project }) => project.name));
    reportStrayOverrides(overrides, names, file, findings);
  }

  const order = [file, ...[...overrides.values()].map((layer) => layer.document.file)];
  return {
    registry: {
      file,
      schema,
      output: data.repoman?.output ?? BUILT_IN.output,
      lanIp,
      defaults,
      projects: all.map(({ project }) => project),
      warnings: [...(await findings.locateWarnings()), ...warnings],
    },
    facts,
    problems: await findings.locate(order),
  };
}

/** The file itself, and its `[defaults]`, which everything else stands on. */
async function begin(options: LoadOptions) {
  const { env = process.env } = options;
  const user = options.user ?? currentUser(env);
  const file = resolvePath(options.file ?? paths(env).registry);
  const findings = new Findings();
  const document = parseDocument(file, options.text ?? (await readRegistryText(file)));
  reportSyntax(document, findings);
  const { schema, lanIp: olderLanIp } = migrate(document.data);
  const data = check(registrySchema, document, findings);
  const lanIp = data.host?.lan_ip ?? olderLanIp ?? "";
  const facts = { lanIp, user: user.name, home: user.home };
  const { defaults, backupRootOrigin, rootKnown } = resolveDefaults(
    document,
    data,
    env,
    facts,
    findings,
  );
  return {
    env,
    file,
    findings,
    document,
    schema,
    data,
    lanIp,
    facts,
    defaults,
    backupRootOrigin,
    rootKnown,
  };
}

/**
 * `[defaults]` alone, as far as they make sense: nothing else is read than the registry itself, and
 * nothing is looked at where a repository lies.
 *
 * @throws RegistryMissing where there is no registry
 */
export async function readDefaults(options: LoadOptions = {}): Promise<Defaults> {
  return (await begin(options)).defaults;
}

/** What every repository asks for itself, in the order of the projects. */
async function askAll(
  data: Loose<RegistryFile>,
  { defaults, facts }: Context,
  env: NodeJS.ProcessEnv,
  approved: ReadonlyMap<string, Approved | null> | undefined,
): Promise<Wishes[]> {
  const entries = Array.isArray(data.project) ? data.project : [];
  return Promise.all(
    entries.map(async (entry) => {
      // Names become parts of file names.
      if (!entry?.name || instanceName(entry.name)) return { warnings: [] };
      const { name } = entry;
      const { path, below } = repository(entry.repo ?? name, defaults.reposRoot, facts.home);
      if (!below) return { warnings: [] };
      const key = { env, project: name, repo: path };
      const [wishes, excludes] = await Promise.all([
        wishesOf(key, approved?.get(name)),
        entry.backup === false || !defaults.backupRoot ? [] : excludeWarnings(key),
      ]);
      return { ...wishes, warnings: [...wishes.warnings, ...excludes] };
    }),
  );
}

/** Resolves every project from what the files say of it, the later ones having the last word. */
async function resolveAll(
  document: Document,
  data: Loose<RegistryFile>,
  overrides: ReadonlyMap<string, Layer>,
  wishes: readonly Wishes[],
  context: Context,
  findings: Findings,
): Promise<{ all: Resolved[]; warnings: Problem[] }> {
  const entries = Array.isArray(data.project) ? data.project : [];
  const all: Resolved[] = [];
  const warnings = wishes.flatMap((each) => each.warnings);
  for (const [index, entry] of entries.entries()) {
    if (!entry) continue;
    const base = ["project", index];
    const refused = findings.keysUnder(document, base);
    const own: Layer = { document, base, data: entry, refused };
    const override = overrides.get(entry.name ?? "");
    const wanted = wishes[index]?.layer;
    const work = (...layers: (Layer | undefined)[]) => {
      const found = new Findings();
      const present = layers.filter((layer) => layer !== undefined);
      const resolved = resolve(merge([own, ...present]), context, found);
      if (resolved) checkWithin(resolved, found);
      return { resolved, found };
    };
    let { resolved, found } = work(wanted, override);
    const faults = wanted ? found.within(wanted.document) : [];
    if (wanted && faults.length > 0) {
      // Agreed with once, and not possible any more: it must not hold up all the others.
      ({ resolved, found } = work(override));
      warnings.push(...(await unusable(faults, entry.name ?? "")));
    }
    findings.take(found);
    if (resolved) all.push(resolved);
  }
  return { all, warnings };
}

/** What is wrong with what was trusted, as warnings. */
async function unusable(faults: Finding[], project: string): Promise<Problem[]> {
  const findings = new Findings();
  for (const fault of faults) findings.warn(fault);
  const subject = `project ${quote(project)}: `;
  return (await findings.locateWarnings()).map((problem) => ({
    ...problem,
    what: `${subject}what was trusted of its ${REPOSITORY_FILE} is ignored: ${problem.what.replace(subject, "")}`,
    remedy: `${problem.remedy}; \`repoman trust ${project} --revoke\` takes it back`,
  }));
}

function currentUser(env: NodeJS.ProcessEnv): User {
  const { username, uid, gid, homedir } = userInfo();
  return { name: env.USER || username, uid, gid, home: env.HOME || homedir };
}

import * as log from "@pulumi/pulumi/log/index.js";
import { all, type Output, output } from "@pulumi/pulumi/output.js";
import { ComponentResource, type Resource } from "@pulumi/pulumi/resource.js";
import { proseInOwnWords } from "../host/own-words.js";
import type { Owner } from "../providers/ownership.ts";
import { IncusProject } from "../providers/project.ts";
import type { ProfileChoice } from "../registry/profile-choice.ts";
import type { Library, Problem, Registry } from "../registry/types.ts";
import type { Survey } from "../survey/survey.ts";
import { chosenTemplates, ProfileLibrary } from "./profile-library.ts";
import { Workspace } from "./workspace.ts";

export interface EstateArgs {
  remote: string;
  owner: Owner;
  registry: Registry;
  /** Every usable template, by name. */
  library: Library;
  survey: Survey;
  /** Which templates to manage: those that projects refer to, all, or the former plus some. */
  profiles: ProfileChoice;
  /** Restart containers where a change needs it, unless a project says so itself. */
  restart: boolean;
  /** Whether a preview says what mirror runs would do now. */
  pending?: boolean;
  dryRun: boolean;
}

/** All that one registry declares on one host: the tree host → project, profiles, workspaces. */
export class Estate extends ComponentResource {
  /** By project: state, ipv4, image, profiles, repo, path. */
  readonly containers: Output<Record<string, object>>;
  /** By project: lastSync, result, files, bytes, destination. */
  readonly backups: Output<Record<string, object>>;
  /** Names of the profiles that this stack keeps on the server. */
  readonly profiles: string[];
  /** Instances in the project that neither the registry nor this stack knows. */
  readonly orphans: string[];

  constructor(name: string, args: EstateArgs) {
    super("repoman:index:Estate", name);
    const { remote, owner, registry, survey, dryRun } = args;
    const { incusProject } = registry.defaults;

    const project = new IncusProject(
      incusProject,
      { remote, owner, name: incusProject, description: "Containers of repositories, by repoman" },
      { parent: this },
    );
    const present = registry.projects.filter(
      (each) => each.enabled || survey.projects.get(each.name)?.exists,
    );
    const referenced = new Set(present.flatMap((each) => each.profiles));
    const library = new ProfileLibrary(
      name,
      { remote, owner, templates: chosenTemplates(args.library, args.profiles, referenced) },
      { parent: this },
    );
    const warn = warnOnce();
    const workspaces = present.map((each) => {
      const facts = survey.projects.get(each.name);
      if (!facts) throw new Error(`the survey has nothing on project "${each.name}"`);
      const backup = survey.backups.get(each.name);
      const managed = each.profiles.flatMap((profile) => {
        const resource = library.profiles.get(profile);
        return resource ? [{ what: `the profile "${profile}"`, resource }] : [];
      });
      return [
        each.name,
        new Workspace(
          each.name,
          {
            remote,
            owner,
            incusProject,
            project: each,
            facts,
            ...(backup === undefined ? {} : { backup }),
            restart: args.restart,
            pending: args.pending ?? false,
            dryRun,
            needs: [{ what: `the Incus project "${incusProject}"`, resource: project }, ...managed],
            warn,
          },
          { parent: this },
        ),
      ] as const;
    });

    const ofProfiles = [...library.profiles.keys()].flatMap(
      (each) => args.library.warnings.get(each) ?? [],
    );
    for (const warning of [...registry.warnings, ...ofProfiles]) sayProblem(warning, this);
    sayStrays(survey, incusProject, this);
    sayShifted(
      present.filter(({ name }) => survey.projects.get(name)?.owner?.uid === 0),
      this,
    );

    this.containers = collect(
      workspaces.map(([key, { container }]) => [key, container]),
      dryRun,
    );
    this.backups = collect(
      workspaces.map(([key, { backup }]) => [key, backup]),
      dryRun,
    );
    this.profiles = [...library.profiles.keys()].sort();
    this.orphans = survey.orphans;
    this.registerOutputs({});
  }
}

/** A warning as Pulumi shows it, with the commands in it as they work from the user's shell. */
function say(message: string, resource: Resource): void {
  void log.warn(proseInOwnWords(message), resource);
}

/** A disk that is away is one piece of news, whatever number of backups it holds. */
function warnOnce(): (message: string, resource: Resource) => void {
  const said = new Set<string>();
  return (message, resource) => {
    if (said.has(message)) return;
    said.add(message);
    say(message, resource);
  };
}

function sayProblem({ file, line, what, remedy }: Problem, estate: Estate): void {
  say(`${file}${line === undefined ? "" : `:${line}`}: ${what}\n  ${remedy}`, estate);
}

function sayStrays({ orphans, leaving }: Survey, incusProject: string, estate: Estate): void {
  if (orphans.length > 0) {
    say(
      `in the Incus project "${incusProject}" but not in the registry: ${orphans.join(", ")}\n` +
        "  They are left alone. `repoman repair` asks what to do about each: adopt or destroy it.",
      estate,
    );
  }
  if (leaving.length > 0) {
    say(
      `no longer in the registry: ${leaving.join(", ")}; \`up\` deletes the container, ` +
        "never its repository or backup",
      estate,
    );
  }
}

/** No id map is safe for root's own files: what remains is said, not hidden. */
function sayShifted(projects: { name: string }[], estate: Estate): void {
  if (projects.length === 0) return;
  say(
    `the repositories of ${projects.map(({ name }) => name).join(", ")} belong to root, so they are mounted with ` +
      "shift: root inside can leave a setuid file there that is root's on this host\n" +
      "  Give them to a user (chown -R <user>:), and each container gets that user's ids instead.",
    estate,
  );
}

/**
 * The outputs by name. An update that is limited to some projects knows nothing of those that were
 * never made; they are left out, or all the others would be unknown with them.
 */
function collect(
  entries: (readonly [string, Output<object> | undefined])[],
  dryRun: boolean,
): Output<Record<string, object>> {
  const declared = entries.flatMap(([key, value]) => (value ? [[key, value] as const] : []));
  if (dryRun) return all(Object.fromEntries(declared)) as Output<Record<string, object>>;
  const known = Promise.all(declared.map(async ([, value]) => isKnown(value)));
  return output(
    known.then((each) => all(Object.fromEntries(declared.filter((_, index) => each[index])))),
  ) as Output<Record<string, object>>;
}

/** The SDK's own answer to whether a value came of it; its types leave it out. */
function isKnown(value: Output<object>): Promise<boolean> {
  return (value as unknown as { isKnown: Promise<boolean> }).isKnown;
}

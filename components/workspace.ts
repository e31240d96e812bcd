import * as log from "@pulumi/pulumi/log/index.js";
import { type Output, output } from "@pulumi/pulumi/output.js";
import type { Resource } from "@pulumi/pulumi/resource.js";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi/resource.js";
import { RsyncBackup } from "../providers/backup.ts";
import { RepoContainer } from "../providers/container.ts";
import type { Owner } from "../providers/ownership.ts";
import type { Project } from "../registry/types.ts";
import type { ProjectFacts } from "../survey/survey.ts";
import { configOf, devicesOf } from "./container-config.ts";

export interface WorkspaceArgs {
  remote: string;
  owner: Owner;
  incusProject: string;
  project: Project;
  facts: ProjectFacts;
  /** Absolute; a project without a backup root has no backup. */
  backupRoot?: string;
  /** Restart where a change needs it, unless the project says so itself. */
  restart: boolean;
  dryRun: boolean;
  /** What must be there before the container: its Incus project and its managed profiles. */
  dependsOn: Resource[];
}

/** The id that stands for an owner who cannot be known, beside a fault that keeps it from use. */
const UNKNOWN = { name: "", uid: 0, gid: 0, home: "/" };

/** What one repository has: its container, and its copy on the backup disk. */
export class Workspace extends ComponentResource {
  readonly container: Output<object>;
  readonly backup: Output<object> | undefined;

  constructor(name: string, args: WorkspaceArgs, opts: ComponentResourceOptions) {
    super("repoman:index:Workspace", name, {}, opts);
    const { project, facts, remote, owner, dryRun } = args;
    const user = facts.owner ?? UNKNOWN;
    const fault = facts.fault === undefined ? {} : { fault: facts.fault };

    const container = new RepoContainer(
      name,
      {
        remote,
        owner,
        name,
        project: args.incusProject,
        image: project.image,
        description: project.description ?? `repoman: ${project.repo}`,
        profiles: project.profiles,
        config: configOf(project, user),
        devices: devicesOf(project, user),
        ...runState(project),
        restart: project.restart || args.restart,
        ignore: project.ignore,
        ...(project.target === undefined ? {} : { target: project.target }),
        user,
        path: project.path,
        dryRun,
        ...fault,
      },
      { parent: this, dependsOn: args.dependsOn },
    );
    for (const warning of facts.warnings) void log.warn(warning, container);
    if (facts.fault !== undefined && dryRun) void log.warn(facts.fault, container);

    const { state, ipv4, image, profiles } = container;
    const { repo, path } = project;
    this.container = output({ state, ipv4, image, profiles, repo, path });

    if (project.enabled && project.backup && project.backupPath && args.backupRoot) {
      const backup = new RsyncBackup(
        name,
        {
          owner,
          name,
          source: repo,
          destination: project.backupPath,
          backupRoot: args.backupRoot,
          maxAge: project.backupMaxAge,
          dryRun,
          ...(facts.backupFault === undefined ? {} : { fault: facts.backupFault }),
        },
        { parent: this },
      );
      if (facts.backupFault !== undefined && dryRun) void log.warn(facts.backupFault, backup);
      const { lastSync, result, files, bytes } = backup;
      this.backup = output({ lastSync, result, files, bytes, destination: project.backupPath });
    }
    this.registerOutputs({});
  }
}

/** A disabled project keeps its container, stopped. */
function runState({ enabled, running }: Project): { running?: boolean } {
  if (!enabled) return { running: false };
  return running === undefined ? {} : { running };
}

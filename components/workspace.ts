import { type Output, output, recover } from "@pulumi/pulumi/output.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Resource,
} from "@pulumi/pulumi/resource.js";
import { reportTrouble } from "../host/report.js";
import { RsyncBackup } from "../providers/backup.ts";
import { declaredContainer } from "../providers/container/declared.ts";
import { RepoContainer } from "../providers/container.ts";
import type { Owner } from "../providers/ownership.ts";
import type { Project } from "../registry/types.ts";
import type { DeclaredBackup } from "../rsync/index.ts";
import type { ProjectFacts } from "../survey/survey.ts";
import { missing, type Need, present } from "./outcome.ts";

export interface WorkspaceArgs {
  remote: string;
  owner: Owner;
  incusProject: string;
  project: Project;
  facts: ProjectFacts;
  /** What the registry says of its copy; absent where it asks for none. */
  backup?: DeclaredBackup;
  /** Restart where a change needs it, unless the project says so itself. */
  restart: boolean;
  /** Whether a preview says what a mirror run would do now. */
  pending: boolean;
  dryRun: boolean;
  /** What must be there before the container: its Incus project and its managed profiles. */
  needs: Need[];
  /** Says a warning, and the same for several resources once. */
  warn: (message: string, resource: Resource) => void;
}

/** What one repository has: its container, and its copy on the backup disk. */
export class Workspace extends ComponentResource {
  /** Without a state where it failed. */
  readonly container: Output<object>;
  readonly backup: Output<object> | undefined;

  constructor(name: string, args: WorkspaceArgs, opts: ComponentResourceOptions) {
    const { formerName } = args.facts;
    // The SDK gives children such an alias only while their names begin with the parent's.
    const aliases = formerName === undefined ? {} : { aliases: [{ name: formerName }] };
    super("repoman:index:Workspace", name, {}, { ...opts, ...aliases });
    const { project, facts, owner, dryRun } = args;
    // Nothing fails in a preview, where the outcome of what is yet to be made is not known either.
    const fault = facts.fault ?? (dryRun ? undefined : missing(name, args.needs));

    const container = new RepoContainer(
      name,
      {
        ...declaredContainer(args, project, facts.owner),
        dryRun,
        ...(fault === undefined ? {} : { fault }),
      },
      { parent: this, dependsOn: present(args.needs), ...aliases },
    );
    for (const warning of facts.warnings) args.warn(warning, container);
    // Only in a preview: `up` then fails for the resource, with the same words.
    const sayTrouble = (trouble: string | undefined, resource: Resource) => {
      if (trouble === undefined || !dryRun) return;
      args.warn(trouble, resource);
      reportTrouble(name, trouble);
    };
    sayTrouble(facts.fault, container);

    const { state, ipv4, image, profiles } = container;
    const { repo, path } = project;
    this.container = recover<object>(output({ state, ipv4, image, profiles, repo, path }), () => ({
      state: null,
      ipv4: null,
      image: project.image,
      profiles: project.profiles,
      repo,
      path,
    }));

    if (project.enabled && args.backup) {
      const backup = new RsyncBackup(
        name,
        {
          ...args.backup,
          owner,
          dryRun,
          ...(args.pending && { lookPending: true }),
          ...(facts.backupFault === undefined ? {} : { fault: facts.backupFault }),
        },
        { parent: this, ...aliases },
      );
      sayTrouble(facts.backupFault, backup);
      const { lastSync, result, files, bytes } = backup;
      const { destination } = args.backup;
      this.backup = recover<object>(
        output({ lastSync, result, files, bytes, destination }),
        () => ({ lastSync: null, result: "failed", files: null, bytes: null, destination }),
      );
    }
    this.registerOutputs({});
  }
}

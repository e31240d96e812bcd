import * as z from "zod";
import { backupRules } from "./backup-rules.ts";
import { duration } from "./duration.ts";
import { string } from "./field.ts";
import { absolutePath } from "./paths.ts";
import { projectSchema } from "./project-schema.ts";
import * as rules from "./rules.ts";

/* The shape of the registry. As in `project-schema.ts`, nothing is transformed. */

/** What holds where neither the registry nor the environment says anything. */
export const BUILT_IN = {
  output: "quiet",
  repos_root: "~/repos",
  backup_max_age: "24h",
  incus_project: "repoman",
  default_image: "images:ubuntu/26.04/cloud",
  profiles: ["default"],
} as const;

/** `repoman.toml`. */
export const registrySchema = z
  .strictObject({
    repoman: z
      .strictObject({
        schema: z
          .number()
          .check((context) => {
            if ([1, 2, 3].includes(context.value)) return;
            context.issues.push({
              code: "custom",
              input: context.value,
              message: "is no schema that this repoman reads",
              params: { remedy: "write schema = 3; a newer file needs a newer repoman" },
            });
          })
          .optional()
          .meta({ default: 3, examples: [3] })
          .describe("Version of this file's shape: 3; 1 and 2 are read as well."),
        output: string(rules.line)
          .optional()
          .meta({ default: BUILT_IN.output, examples: ["quiet"] })
          .describe("Kept for older files; nothing depends on it."),
      })
      .optional()
      .describe("About this file."),
    host: z
      .strictObject({
        lan_ip: string(rules.address)
          .optional()
          .meta({ examples: ["192.168.1.20"] })
          .describe("The host's address on its network, for `${HOST_LAN_IP}`; may be empty."),
      })
      .optional()
      .describe("Facts about this host."),
    defaults: z
      .strictObject({
        repos_root: string(absolutePath)
          .optional()
          .meta({ default: BUILT_IN.repos_root, examples: ["~/repos"] })
          .describe("Where the repositories are; the variable LOCAL_REPOS stands in."),
        local_repos: string(absolutePath)
          .optional()
          .meta({ examples: ["~/repos"] })
          .describe("Older name of `repos_root`."),
        backup_root: string(absolutePath)
          .optional()
          .meta({ examples: ["/nfs/repos"] })
          .describe("Where their mirrors go; the variable NFS_REPOS stands in."),
        nfs_repos: string(absolutePath)
          .optional()
          .meta({ examples: ["/nfs/repos"] })
          .describe("Older name of `backup_root`."),
        backup_max_age: string(duration)
          .optional()
          .meta({ default: BUILT_IN.backup_max_age, examples: ["24h"] })
          .describe('How old a mirror may be, such as "24h" or "7d".'),
        backup_fstype: string(rules.mountWord)
          .optional()
          .meta({ examples: ["nfs4"] })
          .describe(
            'File system that must be mounted at `backup_root`, such as "nfs4"; what `repoman backup init` saw unless set.',
          ),
        backup_source: string(rules.mountWord)
          .optional()
          .meta({ examples: ["nas:/tank/repos"] })
          .describe(
            'What must be mounted there, such as "nas:/tank/repos"; what `repoman backup init` saw unless set.',
          ),
        ...backupRules,
        logdir: string(absolutePath)
          .optional()
          .meta({ examples: ["~/.local/state/repoman/log"] })
          .describe("Where repoman keeps its journal; `log` in its state directory unless set."),
        incus_project: string(rules.incusProjectName)
          .optional()
          .meta({ default: BUILT_IN.incus_project, examples: ["repoman"] })
          .describe("The Incus project that holds the containers."),
        default_image: string(rules.image)
          .optional()
          .meta({ default: BUILT_IN.default_image, examples: ["images:debian/12/cloud"] })
          .describe("Image of projects that name none."),
        profiles: z
          .array(string(rules.profileName))
          .optional()
          .meta({ default: BUILT_IN.profiles, examples: [["default", "dotfiles"]] })
          .describe("Profiles of projects that name none."),
      })
      .optional()
      .describe("What holds for every project that does not say otherwise."),
    project: z.array(projectSchema).optional().describe("The repositories."),
  })
  .describe("The registry of repoman: which repositories have a container and a backup.");

export type RegistryFile = z.infer<typeof registrySchema>;

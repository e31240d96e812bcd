import * as z from "zod";
import { backupRules } from "./backup-rules.ts";
import { duration } from "./duration.ts";
import { string } from "./field.ts";
import { absolutePath, anyPath } from "./paths.ts";
import { port } from "./port.ts";
import * as rules from "./rules.ts";

/*
 * The shape of the registry and of overrides. Nothing is transformed here: what passes is what the
 * file says, so the schema describes files, and a JSON Schema made of it serves editors.
 */

/** What holds where neither the registry nor the environment says anything. */
export const BUILT_IN = {
  output: "quiet",
  repos_root: "~/repos",
  backup_max_age: "24h",
  incus_project: "repoman",
  default_image: "images:ubuntu/26.04/cloud",
  profiles: ["default"],
} as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.bigint()], {
  error: "must be a string, a number, true or false",
});

type Scalar = string | number | boolean | bigint;
/** TOML reads `limits.memory = "1GiB"` as a table in a table; both spellings are taken. */
export interface Options {
  [key: string]: Scalar | Options;
}
const options: z.ZodType<Options> = z.record(
  z.string(),
  z.union([scalar, z.lazy(() => options)], { error: "must be a string, a number, true or false" }),
);

const timestamp = z.union([z.string(), z.date()], { error: "must be a date" });

const port_ = z.union([string(port), z.number()], { error: "must be a string" });

const mount = z
  .strictObject({
    source: string(absolutePath).describe(
      "File or directory on the host. `~` is your home; `${HOME}`, `${USER}` and `${HOST_LAN_IP}` are replaced.",
    ),
    path: string(absolutePath).describe(
      "Where the container sees it. `~` is your home, which has the same path inside.",
    ),
    readonly: z
      .boolean()
      .optional()
      .meta({ default: false })
      .describe("Whether the container may only read it."),
    optional: z
      .boolean()
      .optional()
      .meta({ default: false })
      .describe("Whether the container may start when the source is missing."),
  })
  .describe("A file or directory of the host that the container sees, beside the repository.");

/** What a repository may ask for itself in `.repoman.toml`, once it is trusted. */
const asked = {
  description: string(rules.line).optional().describe("One line about the container."),
  image: string(rules.image)
    .optional()
    .describe("Image, as the incus client takes it: `remote:alias`, a local alias or fingerprint."),
  profiles: z
    .array(string(rules.profileName))
    .optional()
    .describe("Profiles in the order in which they apply; later ones win."),
  path: string(absolutePath)
    .optional()
    .describe("Where the container sees the repository; its path on the host unless set."),
  hermes: z
    .union([z.boolean(), z.strictObject({ enabled: z.boolean() })], {
      error: "must be true or false",
    })
    .optional()
    .meta({ default: false })
    .describe("Whether the container has a Hermes home of its own."),
  ports: z
    .array(port_)
    .optional()
    .describe(
      'Ports of the host that lead into the container, such as "3000:3000", "8080:80/udp" or "0.0.0.0:8080:80"; on loopback unless an address is given.',
    ),
  mount: z.array(mount).optional().describe("Further files and directories of the host."),
  env: z
    .record(
      string(rules.envName),
      z.union([string(rules.envValue), z.number(), z.boolean()], {
        error: "must be a string, a number, true or false",
      }),
    )
    .optional()
    .describe("Environment inside. Not for secrets: values show in previews and in the state."),
  config: options
    .optional()
    .describe('Incus config keys, such as "limits.memory"; an empty value takes a key away.'),
  device: z
    .record(string(rules.deviceName), options)
    .optional()
    .describe("Any Incus devices by name, each with its `type` and options."),
};

/** What only the user may set: in the registry, and in `repos.d/<name>.toml`. */
const owned = {
  backup: z
    .boolean()
    .optional()
    .meta({ default: true })
    .describe("Whether the repository is mirrored to `backup_root`."),
  backup_max_age: string(duration)
    .optional()
    .describe('How old the mirror may be, such as "24h" or "7d".'),
  ...backupRules,
  enabled: z
    .boolean()
    .optional()
    .meta({ default: true })
    .describe("Whether it is brought up; `false` keeps it in the registry only."),
  running: z.boolean().optional().describe("Whether it is to run; left alone unless set."),
  restart: z
    .boolean()
    .optional()
    .meta({ default: false })
    .describe("Whether `up` may restart it for a change that needs it."),
  ignore: z
    .array(string(rules.ignoreEntry))
    .optional()
    .describe('Config keys and devices whose drift is not shown: "limits.cpu", "device:gpu0".'),
  idmap: string(rules.idmap)
    .optional()
    .meta({ default: "owner" })
    .describe(
      'Which ids of the host the container has: "owner" gives it those of the repository\'s owner, "none" no id map, and anything else is a map as `raw.idmap` takes it. For containers that were adopted.',
    ),
  target: string(rules.target)
    .optional()
    .describe("Where a cluster places it: a member, or `@group`."),
};

/** One `[[project]]`. */
export const projectSchema = z
  .strictObject({
    name: string(rules.instanceName).describe("Name of the container and of the project."),
    repo: string(anyPath)
      .optional()
      .describe("The repository, relative to `repos_root`; the name unless set."),
    ...asked,
    ...owned,
    created: timestamp.optional().describe("When the entry was made."),
    last_sync: timestamp
      .optional()
      .describe("Kept for older files; what happened is recorded in the state directory."),
  })
  .describe("One repository and its container.");

/** `repos.d/<name>.toml`. */
export const overrideSchema = z
  .strictObject({ ...asked, ...owned })
  .describe("What one project has on this host instead of what the registry says.");

/** `.repoman.toml` in a repository. */
export const repositorySchema = z
  .strictObject(asked)
  .describe("What a repository asks for; it counts once you have trusted it.");

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
          .meta({ default: 3 })
          .describe("Version of this file's shape: 3; 1 and 2 are read as well."),
        output: string(rules.line)
          .optional()
          .meta({ default: BUILT_IN.output })
          .describe("How much is printed."),
      })
      .optional()
      .describe("About this file."),
    host: z
      .strictObject({
        lan_ip: string(rules.address)
          .optional()
          .describe("The host's address on its network, for `${HOST_LAN_IP}`; may be empty."),
      })
      .optional()
      .describe("Facts about this host."),
    defaults: z
      .strictObject({
        repos_root: string(absolutePath)
          .optional()
          .meta({ default: BUILT_IN.repos_root })
          .describe("Where the repositories are; the variable LOCAL_REPOS stands in."),
        local_repos: string(absolutePath).optional().describe("Older name of `repos_root`."),
        backup_root: string(absolutePath)
          .optional()
          .describe("Where their mirrors go; the variable NFS_REPOS stands in."),
        nfs_repos: string(absolutePath).optional().describe("Older name of `backup_root`."),
        backup_max_age: string(duration)
          .optional()
          .meta({ default: BUILT_IN.backup_max_age })
          .describe('How old a mirror may be, such as "24h" or "7d".'),
        backup_fstype: string(rules.mountWord)
          .optional()
          .describe(
            'File system that must be mounted at `backup_root`, such as "nfs4"; what `repoman backup init` saw unless set.',
          ),
        backup_source: string(rules.mountWord)
          .optional()
          .describe(
            'What must be mounted there, such as "nas:/tank/repos"; what `repoman backup init` saw unless set.',
          ),
        ...backupRules,
        logdir: string(absolutePath)
          .optional()
          .describe("Where repoman keeps its journal; `log` in its state directory unless set."),
        incus_project: string(rules.incusProjectName)
          .optional()
          .meta({ default: BUILT_IN.incus_project })
          .describe("The Incus project that holds the containers."),
        default_image: string(rules.image)
          .optional()
          .meta({ default: BUILT_IN.default_image })
          .describe("Image of projects that name none."),
        profiles: z
          .array(string(rules.profileName))
          .optional()
          .meta({ default: BUILT_IN.profiles })
          .describe("Profiles of projects that name none."),
      })
      .optional()
      .describe("What holds for every project that does not say otherwise."),
    project: z.array(projectSchema).optional().describe("The repositories."),
  })
  .describe("The registry of repoman: which repositories have a container and a backup.");

export type RegistryFile = z.infer<typeof registrySchema>;
export type ProjectEntry = z.infer<typeof projectSchema>;
export type Override = z.infer<typeof overrideSchema>;
export type RepositoryFile = z.infer<typeof repositorySchema>;

import * as z from "zod";
import { backupRules } from "./backup-rules.ts";
import { duration } from "./duration.ts";
import { string } from "./field.ts";
import { absolutePath, anyPath } from "./paths.ts";
import { port } from "./port.ts";
import * as rules from "./rules.ts";

/*
 * What can be said of one project, and where: in the registry, in an override, in its repository.
 * Nothing is transformed here: what passes is what the file says, so the schema describes files, and
 * a JSON Schema made of it serves editors.
 */

const scalar = z.union([z.string(), z.number(), z.boolean(), z.bigint()], {
  error: "must be a string, a number, true or false",
});

type Scalar = string | number | boolean | bigint;
/** TOML reads `limits.memory = "1GiB"` as a table in a table; both spellings are taken. */
interface Options {
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
    source: string(absolutePath)
      .meta({ examples: ["~/.npm"] })
      .describe(
        "File or directory on the host. `~` is your home; `${HOME}`, `${USER}` and `${HOST_LAN_IP}` are replaced.",
      ),
    path: string(absolutePath)
      .meta({ examples: ["~/.npm"] })
      .describe("Where the container sees it. `~` is your home, which has the same path inside."),
    readonly: z
      .boolean()
      .optional()
      .meta({ default: false, examples: [true] })
      .describe("Whether the container may only read it."),
    optional: z
      .boolean()
      .optional()
      .meta({ default: false, examples: [true] })
      .describe("Whether the container may start when the source is missing."),
  })
  .describe("A file or directory of the host that the container sees, beside the repository.");

/** What a repository may ask for itself in `.repoman.toml`, once it is trusted. */
const asked = {
  description: string(rules.line)
    .optional()
    .meta({ examples: ["the shop's front end"] })
    .describe("One line about the container."),
  image: string(rules.image)
    .optional()
    .meta({ examples: ["images:debian/12/cloud"] })
    .describe("Image, as the incus client takes it: `remote:alias`, a local alias or fingerprint."),
  profiles: z
    .array(string(rules.profileName))
    .optional()
    .meta({ examples: [["default", "claude-share"]] })
    .describe("Profiles in the order in which they apply; later ones win."),
  path: string(absolutePath)
    .optional()
    .meta({ examples: ["/srv/website"] })
    .describe("Where the container sees the repository; its path on the host unless set."),
  hermes: z
    .union([z.boolean(), z.strictObject({ enabled: z.boolean() })], {
      error: "must be true or false",
    })
    .optional()
    .meta({ default: false, examples: [true] })
    .describe("Kept for older files and shown by `repoman list`; nothing is made of it yet."),
  ports: z
    .array(port_)
    .optional()
    .meta({ examples: [["3000:3000"]] })
    .describe(
      'Ports of the host that lead into the container, such as "3000:3000", "8080:80/udp" or "0.0.0.0:8080:80"; on loopback unless an address is given.',
    ),
  mount: z
    .array(mount)
    .optional()
    .meta({ examples: [[{ source: "~/.npm", path: "~/.npm", optional: true }]] })
    .describe("Further files and directories of the host."),
  env: z
    .record(
      string(rules.envName),
      z.union([string(rules.envValue), z.number(), z.boolean()], {
        error: "must be a string, a number, true or false",
      }),
    )
    .optional()
    .meta({ examples: [{ NODE_ENV: "development" }] })
    .describe("Environment inside. Not for secrets: values show in previews and in the state."),
  config: options
    .optional()
    .meta({ examples: [{ "limits.memory": "4GiB" }] })
    .describe('Incus config keys, such as "limits.memory"; an empty value takes a key away.'),
  device: z
    .record(string(rules.deviceName), options)
    .optional()
    .meta({ examples: [{ gpu0: { type: "gpu", id: "0" } }] })
    .describe("Any Incus devices by name, each with its `type` and options."),
};

/** What only the user may set: in the registry, and in `repos.d/<name>.toml`. */
const owned = {
  backup: z
    .boolean()
    .optional()
    .meta({ default: true, examples: [false] })
    .describe("Whether the repository is mirrored to `backup_root`."),
  backup_max_age: string(duration)
    .optional()
    .meta({ examples: ["7d"] })
    .describe('How old the mirror may be, such as "24h" or "7d".'),
  ...backupRules,
  enabled: z
    .boolean()
    .optional()
    .meta({ default: true, examples: [false] })
    .describe("Whether it is brought up; `false` keeps it in the registry only."),
  running: z
    .boolean()
    .optional()
    .meta({ examples: [true] })
    .describe("Whether it is to run; left alone unless set."),
  restart: z
    .boolean()
    .optional()
    .meta({ default: false, examples: [true] })
    .describe("Whether `up` may restart it for a change that needs it."),
  ignore: z
    .array(string(rules.ignoreEntry))
    .optional()
    .meta({ examples: [["limits.cpu", "device:gpu0"]] })
    .describe('Config keys and devices whose drift is not shown: "limits.cpu", "device:gpu0".'),
  idmap: string(rules.idmap)
    .optional()
    .meta({ default: "owner", examples: ["none"] })
    .describe(
      'Which ids of the host the container has: "owner" gives it those of the repository\'s owner, "none" no id map, and anything else is a map as `raw.idmap` takes it. For containers that were adopted.',
    ),
  target: string(rules.target)
    .optional()
    .meta({ examples: ["@gpu"] })
    .describe("Where a cluster places it: a member, or `@group`."),
};

/** One `[[project]]`. */
export const projectSchema = z
  .strictObject({
    name: string(rules.instanceName)
      .meta({ examples: ["website"] })
      .describe("Name of the container and of the project."),
    repo: string(anyPath)
      .optional()
      .meta({ examples: ["work/website"] })
      .describe("The repository, relative to `repos_root`; the name unless set."),
    ...asked,
    ...owned,
    created: timestamp
      .optional()
      .meta({ examples: ["2026-04-28T15:00:00Z"] })
      .describe("When the entry was made."),
    last_sync: timestamp
      .optional()
      .meta({ examples: ["2026-04-28T20:17:03Z"] })
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

export type ProjectEntry = z.infer<typeof projectSchema>;

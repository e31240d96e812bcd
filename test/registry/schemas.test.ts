import { describe, expect, it } from "vitest";
import * as z from "zod";
import { profileSchema } from "../../registry/profile-schema.ts";
import { overrideSchema, repositorySchema } from "../../registry/project-schema.ts";
import { registrySchema } from "../../registry/schema.ts";
import { read } from "./rig.ts";

const SCHEMA_1 = `[defaults]
local_repos    = "~/repos"
nfs_repos      = "/nfs/repos"
incus_project  = "repoman"
default_image  = "images:ubuntu/26.04/cloud"
profiles       = ["default", "claude-share"]

[[project]]
name        = "isurus"
repo        = "isurus-project"   # relative to local_repos
image       = "images:ubuntu/26.04/cloud"
created     = "2026-04-28T15:00:00Z"
last_sync   = "2026-04-28T20:17:03Z"
backup      = true
`;

const SCHEMA_2 = `[repoman]
schema = 2
[defaults]
repos_root = "~/repos"
backup_root = "/nfs/repos"
incus_project = "repoman"
default_image = "images:ubuntu/26.04/cloud"
profiles = ["default", "claude-share", "llm-share"] # llm-share added if user opted in
[defaults.llm]
enabled = true
hermes_default = false # false → opt-in via --hermes
ollama_url = "http://192.168.168.42:11434" # LAN IP captured at setup
hermes_seed = [
".env", "config.yaml", "SOUL.md",
"skills/", "hooks/",
"hermes-agent/", "node/", "bin/",
]
[[project]]
name = "isurus"
repo = "isurus-project"
image = "images:ubuntu/26.04/cloud"
profiles = ["default", "claude-share", "llm-share"]
created = "2026-04-28T15:00:00Z"
last_sync = ""
backup = true
hermes = true # NEW; defaults false
`;

describe("an older schema", () => {
  it("1 is read with its own names for the roots, and nothing is written", async () => {
    const { registry, problems, home, after } = await read({ "repoman.toml": SCHEMA_1 });
    expect(problems).toEqual([]);
    expect(registry).toMatchObject({
      schema: 1,
      lanIp: "",
      warnings: [],
      defaults: { reposRoot: `${home}/repos`, backupRoot: "/nfs/repos" },
      projects: [
        {
          repo: `${home}/repos/isurus-project`,
          backupPath: "/nfs/repos/isurus-project",
          profiles: ["default", "claude-share"],
          lastSync: "2026-04-28T20:17:03Z",
          hermes: false,
        },
      ],
    });
    expect(after).toBe(SCHEMA_1);
  });

  it("2 gives its ollama_url's address to lan_ip, and loses the rest of [defaults.llm]", async () => {
    const { registry, problems, after } = await read({ "repoman.toml": SCHEMA_2 });
    expect(problems).toEqual([]);
    expect(registry).toMatchObject({
      schema: 2,
      lanIp: "192.168.168.42",
      projects: [{ name: "isurus", hermes: true }],
    });
    expect(after).toBe(SCHEMA_2);
  });

  it.each([
    ["https://192.168.1.2:11434/v1", "192.168.1.2"],
    ["192.168.1.2:11434", "192.168.1.2"],
    ["http://[fd00::1]:11434", "fd00::1"],
    ["http://ollama.lan:11434", ""],
    ["", ""],
    ["nonsense here", ""],
  ])("2 with ollama_url %j has lan_ip %j", async (url, address) => {
    const toml = SCHEMA_2.replace("http://192.168.168.42:11434", url);
    const { registry, problems } = await read({ "repoman.toml": toml });
    expect(problems).toEqual([]);
    expect(registry.lanIp).toBe(address);
  });

  it("2 without an ollama_url has no address", async () => {
    const toml = SCHEMA_2.replace(/^ollama_url.*\n/m, "");
    const { registry } = await read({ "repoman.toml": toml });
    expect(registry.lanIp).toBe("");
  });

  it("is known by its shape where the file does not name it", async () => {
    const unnamed = SCHEMA_2.replace("[repoman]\nschema = 2\n", "");
    expect((await read({ "repoman.toml": unnamed })).registry.schema).toBe(2);
  });

  it("has no excuse for an unknown key", async () => {
    const { problems } = await read({ "repoman.toml": SCHEMA_1.replace("backup ", "backpu ") });
    expect(problems).toMatchObject([{ line: 14, column: 1, remedy: 'did you mean "backup"?' }]);
  });

  it("left [defaults.llm] in a file of schema 3: it says what became of it", async () => {
    const { problems } = await read({ "repoman.toml": SCHEMA_2.replace("= 2", "= 3") });
    expect(problems).toMatchObject([{ line: 9, remedy: expect.stringContaining("lan_ip") }]);
  });
});

describe("the schema", () => {
  const schemas = { registrySchema, overrideSchema, repositorySchema, profileSchema };

  it.each(Object.entries(schemas))(
    "%s makes a JSON Schema in which every field is described",
    (_, schema) => {
      const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
      const bare: string[] = [];
      const visit = (node: unknown, path: string): void => {
        if (typeof node !== "object" || node === null) return;
        const { properties = {}, items, description } = node as Record<string, unknown>;
        if (path === "" && !description) bare.push("the top");
        for (const [key, inner] of Object.entries(properties as Record<string, object>)) {
          const { description: own } = inner as { description?: string };
          if (!own && !(inner as { anyOf?: unknown }).anyOf) bare.push(`${path}.${key}`);
          visit(inner, `${path}.${key}`);
        }
        visit(items, `${path}[]`);
      };
      visit(json, "");
      expect(bare).toEqual([]);
      expect(json).toMatchObject({ type: "object", additionalProperties: false });
    },
  );
});

import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { migrateText } from "../../registry/edit/edits.ts";
import { read } from "./rig.ts";

/** As v0.3 wrote it, with a user's comments. */
const SCHEMA_2 = `# mine
[repoman]
schema = 2 # do not touch

[defaults]
local_repos    = "~/repos"   # the fast disk
nfs_repos      = '/nfs/repos'
incus_project  = "repoman"
# the agents' model
[defaults.llm]
enabled = true
ollama_url = "http://192.168.168.42:11434" # LAN IP captured at setup
hermes_seed = [
".env", "config.yaml",
]

# The first one.
[[project]]
name = "isurus"
repo = "isurus-project" # relative
created = "2026-04-28T15:00:00Z"
last_sync = ""
hermes = true # NEW
`;

describe("a registry of schema 2", () => {
  it("becomes one of schema 3, line by line", () => {
    expect(migrateText(SCHEMA_2)).toBe(`# mine
[repoman]
schema = 3 # do not touch

[host]
lan_ip = "192.168.168.42"

[defaults]
repos_root    = "~/repos"   # the fast disk
backup_root      = '/nfs/repos'
incus_project  = "repoman"

# The first one.
[[project]]
name = "isurus"
repo = "isurus-project" # relative
created = "2026-04-28T15:00:00Z"
last_sync = ""
hermes = true # NEW
`);
  });

  it("keeps an address that it has already, and both roots where they differ", () => {
    const text = `${SCHEMA_2}\n[host]\nlan_ip = ""\n`.replace(
      "[defaults]\n",
      '[defaults]\nrepos_root = "/other"\nbackup_root = "/nfs/repos"\n',
    );
    const after = parse(migrateText(text));
    expect(after.host).toEqual({ lan_ip: "" });
    expect(after.defaults).toMatchObject({ repos_root: "/other", local_repos: "~/repos" });
    expect(after.defaults).not.toHaveProperty("nfs_repos");
  });
});

describe("a registry of schema 1", () => {
  it("gets a [repoman] of its own in front", () => {
    expect(migrateText('[defaults]\nlocal_repos = "/r"\n')).toBe(
      '[repoman]\nschema = 3\n\n[defaults]\nrepos_root = "/r"\n',
    );
  });
});

it.each([
  ["schema 3", '[repoman]\nschema = 3\n[defaults]\nlocal_repos = "/r"\n'],
  ["no schema and nothing old", '[[project]]\nname = "a"\n'],
  ["a schema that is no number", '[repoman]\nschema = "2"\n'],
  ["a newer schema", "[repoman]\nschema = 4\n"],
  ["nothing", ""],
])("a registry with %s stays as it is", (_, text) => {
  expect(migrateText(text)).toBe(text);
});

it("a text that is no TOML is refused, with the place", () => {
  expect(() => migrateText("[defaults]\nx = \n")).toThrow("not TOML at line 2, column");
});

describe("any older registry", { timeout: 120_000 }, () => {
  const llm = fc.constantFrom(
    "",
    "[defaults.llm]\nenabled = true\n",
    '\n# about models\n[defaults.llm] # here\nollama_url = "http://10.1.2.3:11434"\n# last\n',
    "[defaults.llm]\nollama_url = 'https://[fd00::1]/v1'\n",
    '[defaults.llm]\nollama_url = "http://ollama.lan:11434"\n',
    'llm = { enabled = true, ollama_url = "10.1.2.3" }\n',
    'llm.ollama_url = "http://10.1.2.3:1"\nllm.enabled = false\n',
    "[defaults.llm]\nollama_url = 5\n",
    "[defaults.llm.more]\nx = 1\n",
  );
  const registries = fc
    .record({
      head: fc.constantFrom("", "# mine\n", "# mine\n\n"),
      schema: fc.constantFrom("", "[repoman]\nschema = 1\n", "[repoman] # x\nschema = 2 # y\n\n"),
      roots: fc.uniqueArray(
        fc.constantFrom(
          'local_repos = "~/repos"\n',
          'repos_root = "/work"\n',
          "nfs_repos = '/nfs' # the NAS\n",
          'backup_root="/nfs"\n',
        ),
      ),
      llm,
      host: fc.constantFrom("", "\n[host]\n", '\n[host]\nlan_ip = "10.9.9.9"\n'),
      projects: fc.constantFrom(
        "",
        '\n# one\n[[project]]\nname = "a"\nhermes = true\n\n[[project]]\nname = "b"\nlast_sync = ""\n',
      ),
      crlf: fc.boolean(),
      bom: fc.boolean(),
    })
    .map(({ head, schema, roots, llm, host, projects, crlf, bom }) => {
      const text = `${head}${schema}[defaults]\n${roots.join("")}${llm}${host}${projects}`;
      return (bom ? "\ufeff" : "") + (crlf ? text.replaceAll("\n", "\r\n") : text);
    });

  it("means the same once it is migrated, keeps its comments, and is migrated once", async () => {
    await fc.assert(
      fc.asyncProperty(registries, async (text) => {
        const after = migrateText(text);
        const [old, migrated] = [
          await read({ "repoman.toml": text }),
          await read({ "repoman.toml": after }),
        ];
        const meaning = ({ registry, home }: typeof old) => ({
          ...JSON.parse(JSON.stringify(registry).replaceAll(home, "~")),
          file: "",
          schema: 0,
          // Lines move.
          warnings: registry.warnings.length,
        });
        expect(meaning(migrated)).toEqual(meaning(old));
        const what = ({ problems }: typeof old) => problems.map((problem) => problem.what);
        expect(what(migrated)).toEqual(what(old));
        if (old.registry.schema !== 3) expect(migrated.registry.schema).toBe(3);
        for (const comment of text.match(/# (mine|x|y|one)$/gm) ?? []) {
          expect(after).toContain(comment);
        }
        expect(after).not.toMatch(old.registry.schema === 3 ? /^\0/ : /llm/);
        expect(migrateText(after)).toBe(after);
      }),
      { numRuns: 150 },
    );
  });
});

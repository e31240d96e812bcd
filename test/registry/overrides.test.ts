import { describe, expect, it } from "vitest";
import { GOOD, marked, read } from "./rig.ts";

const BASE = `${GOOD}image = "one"
profiles = ["default", "one"]
ports = ["1", "2"]
mount = [{ source = "/a", path = "/a" }]
env = { KEPT = "1", CHANGED = "1", GONE = "1" }
config = { limits.cpu = 1, limits.memory = "1GiB", "user.gone" = "x", environment.CFG = "1" }
[project.device.gpu0]
type = "gpu"
gputype = "physical"
id = "0"
[project.device.disk]
type = "disk"
source = "/s"
path = "/d"
[project.device.other]
type = "gpu"
`;

async function overridden(override: string) {
  const { registry, problems } = await read({
    "repoman.toml": BASE,
    "repos.d/alpha.toml": override,
  });
  expect(problems).toEqual([]);
  const project = registry.projects[0];
  if (!project) throw new Error("no project");
  return project;
}

describe("an override", () => {
  it("takes the place of single values and of whole lists", async () => {
    const project = await overridden(`image = "two"
profiles = []
ports = ["3"]
enabled = false
backup_max_age = "7d"
[[mount]]
source = "/b"
path = "/b"
`);
    expect(project).toMatchObject({ image: "two", profiles: [], enabled: false });
    expect(project.ports.map(({ listen }) => listen)).toEqual([3]);
    expect(project.mounts.map(({ path }) => path)).toEqual(["/b"]);
    expect(project.backupMaxAge).toBe(7 * 86_400);
  });

  it("adds to environment and config key by key, and takes a key away with an empty value", async () => {
    const project = await overridden(`[env]
CHANGED = "2"
GONE = ""
NEW = "2"
CFG = 2
[config]
"limits.cpu" = 2
limits.processes = 5
user.gone = ""
`);
    expect(project.env).toEqual({ CFG: "2", CHANGED: "2", KEPT: "1", NEW: "2" });
    expect(project.config).toEqual({
      "limits.cpu": "2",
      "limits.memory": "1GiB",
      "limits.processes": "5",
    });
  });

  it("changes options of a device of the same type, and starts anew with another type", async () => {
    const project = await overridden(`[device.gpu0]
id = "1"
gputype = ""
[device.disk]
type = "none"
[device.added]
type = "tpm"
`);
    expect(project.devices).toEqual({
      added: { type: "tpm" },
      disk: { type: "none" },
      gpu0: { type: "gpu", id: "1" },
      other: { type: "gpu" },
    });
  });

  it("may ask for hermes as a flag or as the older table", async () => {
    expect((await overridden("hermes = true\n")).hermes).toBe(true);
    expect((await overridden("[hermes]\nenabled = true\n")).hermes).toBe(true);
  });

  it("is reported in its own file, also where it is wrong together with the registry", async () => {
    const { places, found, problems } = await marked({
      "repoman.toml": GOOD,
      "repos.d/alpha.toml": `«imagee = 1
«repo = "x"
«mounts = []
[[mount]]
source = "/x"
path = «"/repos/alpha/x"
`,
    });
    expect(found).toEqual(places);
    expect(problems.map(({ project }) => project)).toEqual(Array(4).fill("alpha"));
    expect(problems[1]?.remedy).toMatch(/entry in repoman\.toml/);
  });

  it("for a project that does not exist names the nearest one", async () => {
    const { problems } = await read({ "repoman.toml": GOOD, "repos.d/alhpa.toml": "" });
    expect(problems).toMatchObject([
      { file: "repos.d/alhpa.toml", remedy: expect.stringContaining('"alpha.toml"') },
    ]);
  });

  it("is not looked for in what editors leave behind", async () => {
    const { problems } = await read({
      "repoman.toml": GOOD,
      "repos.d/alpha.toml~": "nonsense",
      "repos.d/.alpha.toml.swp": "nonsense",
      "repos.d/.hidden.toml": "nonsense",
      "repos.d/README.md": "nonsense",
    });
    expect(problems).toEqual([]);
  });

  it("that is a folder is a problem", async () => {
    const { problems } = await read({ "repoman.toml": GOOD, "repos.d/alpha.toml/x": "" });
    expect(problems).toMatchObject([{ file: "repos.d/alpha.toml", what: "is a directory" }]);
  });
});

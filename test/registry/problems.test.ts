import { mkdir, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { RegistryFault } from "../../registry/fault.ts";
import { loadRegistry } from "../../registry/load.ts";
import { at, folder, GOOD, marked, read } from "./rig.ts";

describe("a registry with many things wrong", () => {
  it("reports all of them at once, files and lines in order", async () => {
    const { problems, places, found } = await marked({
      "repoman.toml": `«outptu = 1
${GOOD}image = «12
backup = «"yes"
env.«1A = "x"
profiles = [«"../x", "ok", «"-rf"]

[[project]]
name = «"a; rm -rf ~"
ports = [«"http"]

[[project]]
name = "beta"
repo = «"alpha"
path = «"/proc"
device.«repo.typ = "none"

[[project]]
name = «"beta"
repo = «"../x"
`,
      "repos.d/alpha.toml": `«imag = "x"
config.volatile.«uuid = "x"
[[mount]]
source = "/x"
path = «"/repos/alpha/x"
`,
      "repos.d/beta.toml": "«name = 'x'\ntarget = «''\n",
      "profiles.d/mine.yml": `name: «yours
«devicse: {}
config:
  «volatile.uuid: x
devices:
  disk:
    type: «dsk
  «other:
    path: /x
`,
    });
    // The device is wrong twice: it has no type, and the repository's name.
    expect([...new Set(found)]).toEqual(places);
    const order = problems.map(({ file, line }) => `${file}:${String(line).padStart(3)}`);
    const files = [
      "repoman.toml",
      "repos.d/alpha.toml",
      "repos.d/beta.toml",
      "profiles.d/mine.yml",
    ];
    const rank = (each: string) => files.findIndex((file) => each.startsWith(file));
    expect(order).toEqual(
      [...order].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : Number(a !== b))),
    );
  });

  it("does not take what follows from one problem for others", async () => {
    const project = '\n[[project]]\nname = "alpha"\nrepo = "/repos/alpha"\n';
    const roots = [
      `[defaults]\n«repo_root = "/repos"\n`,
      `[«default]\nrepos_root = "/repos"\n`,
      `[defaults]\nrepos_root = «"repos"\n`,
      `[defaults]\nrepos_root = «"\${REPOS}/x"\n`,
      `[defaults]\nrepos_root = «/repos\n`,
    ];
    for (const root of roots) {
      const { found, places } = await marked({ "repoman.toml": root + project });
      expect(found).toEqual(places);
    }
    const mount = 'mount = [{ source = "/x", path = "/repos/beta/x" }]';
    // Without what is refused, "beta" would be where another project or a mount already is.
    for (const wrong of ["repo = «1", `repo = "b"\n${mount}\npath = «1`]) {
      const { found, places } = await marked({
        "repoman.toml": `${GOOD}repo = "beta"\n\n[[project]]\nname = "beta"\n${wrong}\n`,
      });
      expect(found).toEqual(places);
    }
  });

  it("names the project of a problem, so that it can be shown beside it", async () => {
    const { problems } = await read({ "repoman.toml": at("image = 1") });
    expect(problems[0]?.project).toBe("alpha");
  });

  it("is a fault whose message has a line for each, with file, place and remedy", async () => {
    const { config, home } = await folder();
    await mkdir(config, { recursive: true });
    await writeFile(`${config}/repoman.toml`, at("image = 1\nhermes = 2"));
    const user = { name: "dev", uid: 1000, gid: 1000, home };
    const fault = await loadRegistry({ file: `${config}/repoman.toml`, env: {}, user }).catch(
      (error) => error,
    );
    expect(fault).toBeInstanceOf(RegistryFault);
    expect(fault.problems).toHaveLength(2);
    expect(fault.exitCode).toBe(1);
    expect(fault.message.split("\n")).toEqual([
      "2 problems in the registry, so nothing is changed",
      `  ${config}/repoman.toml:10:9: project "alpha": image must be a string, not 1 — put it in quotes: "1"`,
      `  ${config}/repoman.toml:11:10: project "alpha": hermes must be true or false, not 2 — write hermes = true or hermes = false`,
    ]);
  });
});

describe("a file that cannot be read", () => {
  it("is told apart from one that is not there", async () => {
    const { config, home } = await folder();
    const user = { name: "dev", uid: 1000, gid: 1000, home };
    const missing = await loadRegistry({ file: config, env: {}, user }).catch((error) => error);
    expect(missing).toMatchObject({ name: "RegistryMissing", exitCode: 3, file: config });
    const place = await loadRegistry({ file: "/tmp", env: {}, user }).catch((error) => error);
    expect(place).toMatchObject({ name: "Fault", exitCode: 3 });
    expect(place.message).toContain("is a directory");
  });
});

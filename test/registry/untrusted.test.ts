import { execFile } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRepositoryLayer } from "../../registry/wishes.ts";
import { folder, GOOD, read } from "./rig.ts";

const HOME_ESTATE = '[[project]]\nname = "alpha"\n';
const FILE = "home/repos/alpha/.repoman.toml";

async function withFile(text: string) {
  const { registry, problems } = await read({ "repoman.toml": HOME_ESTATE, [FILE]: text });
  expect(problems).toEqual([]);
  return { project: registry.projects[0], warnings: registry.warnings };
}

/** A repository whose `.repoman.toml` is made by the test. */
async function repository() {
  const { home } = await folder();
  await mkdir(home, { recursive: true });
  return { repo: home, file: join(home, ".repoman.toml") };
}

describe("a repository's .repoman.toml", () => {
  it("has no effect, and a warning says what it asks for", async () => {
    const { project, warnings } = await withFile(`image = "evil"
profiles = ["default", "node-dev"]
[[mount]]
source = "~/.ssh"
path = "/ssh"
[env]
NODE_ENV = "development"
`);
    expect(project).toMatchObject({
      image: "images:ubuntu/26.04/cloud",
      profiles: ["default"],
      mounts: [],
      env: {},
    });
    expect(warnings).toMatchObject([
      {
        project: "alpha",
        file: expect.stringMatching(/\/repos\/alpha\/\.repoman\.toml$/),
        what: 'project "alpha": its .repoman.toml asks for env, image, mount, profiles and is ignored',
      },
    ]);
  });

  it("that asks for nothing is passed over", async () => {
    expect((await withFile("# nothing\n")).warnings).toEqual([]);
  });

  it("that is broken is a warning with its line, never a block", async () => {
    const { warnings } = await withFile('image = "x"\nprofiles = [\n');
    expect(warnings).toMatchObject([
      {
        line: 3,
        column: 1,
        what: 'project "alpha": its .repoman.toml is ignored: not TOML here: invalid value',
        remedy: expect.stringMatching(/./),
      },
    ]);
  });

  it("that asks for what only the user may set is a warning", async () => {
    const { warnings } = await withFile("backup = false\nignore = ['limits.cpu']\n");
    expect(warnings).toMatchObject([{ line: 1, what: expect.stringContaining('"backup"') }]);
  });

  it("cannot write to the terminal through its own warning", async () => {
    const { warnings } = await withFile('"\\u001b[2J\\u202eevil" = 1\n');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    expect(JSON.stringify(warnings)).not.toMatch(/\u001b|\u202e/);
    expect(warnings[0]?.what).toContain("\\u001b");
  });

  it("that is a pipe does not hold up the reader", async () => {
    const { repo, file } = await repository();
    await promisify(execFile)("mkfifo", [file]);
    const { warnings, layer } = await readRepositoryLayer("alpha", repo, undefined);
    expect(layer).toBeUndefined();
    expect(warnings[0]?.what).toMatch(/is not a regular file, so it is ignored/);
  });

  it("that is a link is not followed", async () => {
    const { repo, file } = await repository();
    await symlink("/etc/shadow", file);
    const { warnings } = await readRepositoryLayer("alpha", repo, undefined);
    expect(warnings[0]?.what).toMatch(/is a symbolic link, so it is ignored/);
  });

  it("that is huge, a folder or no text is ignored with a warning", async () => {
    const { repo, file } = await repository();
    await writeFile(file, "");
    await truncate(file, 2 ** 40);
    const huge = await readRepositoryLayer("alpha", repo, undefined);
    expect(huge.warnings[0]?.what).toMatch(/is larger than 64 KiB/);
    const other = await repository();
    await mkdir(other.file);
    const directory = await readRepositoryLayer("alpha", other.repo, undefined);
    expect(directory.warnings[0]?.what).toMatch(/is a directory/);
    const third = await repository();
    await writeFile(third.file, Buffer.from([0xff, 0x00]));
    const bytes = await readRepositoryLayer("alpha", third.repo, undefined);
    expect(bytes.warnings[0]?.what).toMatch(/is not UTF-8 text/);
  });

  it("of any content at all never fails the run", { timeout: 60_000 }, async () => {
    const { repo, file } = await repository();
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        await writeFile(file, bytes);
        const { layer } = await readRepositoryLayer("alpha", repo, undefined);
        expect(layer).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("is not read from outside repos_root", async () => {
    const { problems, registry } = await read({
      "repoman.toml": `${GOOD}repo = "../home"\n`,
      "home/.repoman.toml": "image = 1\n",
    });
    expect(problems).toHaveLength(1);
    expect(registry.warnings).toEqual([]);
  });
});

describe("what was approved of a repository's .repoman.toml", () => {
  const approved = (text: string) => new Map([["alpha", { file: "/state/trust/alpha", text }]]);
  const TEXT = 'image = "two"\nprofiles = ["two"]\n[env]\nA = "2"\nB = "2"\n';
  const estate = { "repoman.toml": `${HOME_ESTATE}image = "one"\nenv.A = "1"\n` };

  it("stands above the registry, and below the user's override", async () => {
    const { registry, problems } = await read(
      { ...estate, [FILE]: TEXT, "repos.d/alpha.toml": 'profiles = ["three"]\nenv.B = "3"\n' },
      { approved: approved(TEXT) },
    );
    expect(problems).toEqual([]);
    expect(registry.warnings).toEqual([]);
    expect(registry.projects).toMatchObject([
      { image: "two", profiles: ["three"], env: { A: "2", B: "3" } },
    ]);
  });

  it("stays in force when the file changes, which a warning says", async () => {
    const { registry } = await read(
      { ...estate, [FILE]: 'image = "four"\n' },
      { approved: approved(TEXT) },
    );
    expect(registry.projects).toMatchObject([{ image: "two" }]);
    expect(registry.warnings).toMatchObject([
      { what: expect.stringMatching(/asks for image and is changed since it was trusted/) },
    ]);
  });
});

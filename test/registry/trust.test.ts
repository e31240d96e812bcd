import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readEstate } from "../../registry/estate.ts";
import {
  approvedPath,
  moveApproved,
  REPOSITORY_EXCLUDES,
  REPOSITORY_FILE,
  readApprovedFile,
  revokeApproved,
  storeApproved,
  type UntrustedFile,
} from "../../registry/trust.ts";
import { EXCLUDE_FILE } from "../../rsync/excludes.ts";
import { folder } from "./rig.ts";

/** A registry with one project, whose repository has what is given. */
async function estate(files: Partial<Record<UntrustedFile, string | Buffer>>, project = "") {
  const { config, home, vendor } = await folder();
  const repo = join(home, "repos/alpha");
  await mkdir(repo, { recursive: true });
  await mkdir(config, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(repo, name), text);
  const file = join(config, "repoman.toml");
  const text = '[defaults]\nbackup_root = "/backup"\n[[project]]\nname = "alpha"\n';
  await writeFile(file, text + project);
  const env = { HOME: home };
  const user = { name: "dev", uid: 1000, gid: 1000, home };
  return {
    repo,
    key: { env, project: "alpha", repo },
    read: () => readEstate({ file, env, user, vendorDir: vendor }),
  };
}

const what = (warnings: { what: string }[]) => warnings.map((each) => each.what);

describe("what was agreed with", () => {
  it("is found by whatever reads the registry, and counts", async () => {
    const text = 'image = "two"\n';
    const { key, read } = await estate({ [REPOSITORY_FILE]: text });
    const before = (await read()).registry;
    expect(before.projects[0]?.image).not.toBe("two");
    expect(before.warnings[0]?.remedy).toContain("`repoman trust alpha`");
    await storeApproved(key, REPOSITORY_FILE, Buffer.from(text));
    const { registry } = await read();
    expect(registry.projects[0]?.image).toBe("two");
    expect(registry.warnings).toEqual([]);
  });

  it("stays in force when the file changes or goes, which a warning says with the remedy", async () => {
    const { repo, key, read } = await estate({ [REPOSITORY_FILE]: 'image = "three"\n' });
    await storeApproved(key, REPOSITORY_FILE, Buffer.from('image = "two"\n'));
    const changed = (await read()).registry;
    expect(changed.projects[0]?.image).toBe("two");
    expect(changed.warnings).toMatchObject([
      {
        what: 'project "alpha": its .repoman.toml asks for image and is changed since it was trusted, and what was trusted holds',
        remedy: "`repoman trust alpha` shows what it asks for, and approves it",
      },
    ]);
    await rm(join(repo, REPOSITORY_FILE));
    const gone = (await read()).registry;
    expect(gone.projects[0]?.image).toBe("two");
    expect(gone.warnings[0]?.what).toContain("is gone, and what was trusted holds");
    expect(gone.warnings[0]?.remedy).toContain("repoman trust alpha --revoke");
  });

  it("is one project's in one repository, private, and leaves nothing when revoked", async () => {
    const { key } = await estate({});
    await storeApproved(key, REPOSITORY_FILE, Buffer.from("a"));
    const path = approvedPath(key, REPOSITORY_FILE);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await readApprovedFile({ ...key, repo: "/elsewhere" }, REPOSITORY_FILE)).toBeUndefined();
    expect(await readApprovedFile({ ...key, project: "beta" }, REPOSITORY_FILE)).toBeUndefined();
    expect(await readApprovedFile(key, REPOSITORY_EXCLUDES)).toBeUndefined();
    await moveApproved(key, { ...key, project: "omega" });
    expect(await readApprovedFile(key, REPOSITORY_FILE)).toBeUndefined();
    const moved = { ...key, project: "omega" };
    expect(await readApprovedFile(moved, REPOSITORY_FILE)).toMatchObject({
      bytes: Buffer.from("a"),
    });
    await revokeApproved(moved, REPOSITORY_FILE);
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it("is kept byte by byte, whatever the bytes", async () => {
    const { key } = await estate({});
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x0a, 0xff, 0x00, 0x0d]);
    await storeApproved(key, REPOSITORY_EXCLUDES, bytes);
    expect(await readApprovedFile(key, REPOSITORY_EXCLUDES)).toMatchObject({ bytes });
  });

  it("does not count where the record was changed, which is a warning", async () => {
    const text = 'image = "two"\n';
    const { key, read } = await estate({ [REPOSITORY_FILE]: text });
    await storeApproved(key, REPOSITORY_FILE, Buffer.from(text));
    const path = approvedPath(key, REPOSITORY_FILE);
    await writeFile(path, (await readFile(path, "utf8")).replace("two", "evil"));
    const { registry, problems } = await read();
    expect(problems).toEqual([]);
    expect(registry.projects[0]?.image).not.toMatch(/two|evil/);
    expect(what(registry.warnings)[0]).toContain("is not what was written, so nothing is");
    for (const junk of ["", "\n", "# other\n", "\u0000"]) {
      await writeFile(path, junk);
      expect((await read()).registry.warnings).toHaveLength(2);
    }
  });

  it("and is not possible any more is a warning with its line, and holds up nothing", async () => {
    const text = '[[mount]]\nsource = "/a"\npath = "/proc"\n';
    const { key, read } = await estate({ [REPOSITORY_FILE]: text });
    await storeApproved(key, REPOSITORY_FILE, Buffer.from(text));
    const { registry, problems } = await read();
    expect(problems).toEqual([]);
    expect(registry.projects[0]?.mounts).toEqual([]);
    expect(registry.warnings).toMatchObject([
      {
        file: approvedPath(key, REPOSITORY_FILE),
        line: 4,
        what: expect.stringContaining("what was trusted of its .repoman.toml is ignored: mount"),
      },
    ]);
  });
});

describe("a repository's .repoman-exclude", () => {
  it("has the name that the backup knows", () => {
    expect(REPOSITORY_EXCLUDES).toBe(EXCLUDE_FILE);
  });

  it("is told of until it is trusted, and again when it changes", async () => {
    const { repo, key, read } = await estate({ [REPOSITORY_EXCLUDES]: "# why\nbuild/\n\n*.o\n" });
    const warnings = async () => what((await read()).registry.warnings);
    expect(await warnings()).toEqual([
      'project "alpha": its .repoman-exclude has 2 patterns and is ignored',
    ]);
    await storeApproved(key, REPOSITORY_EXCLUDES, await readFile(join(repo, REPOSITORY_EXCLUDES)));
    expect(await warnings()).toEqual([]);
    await writeFile(join(repo, REPOSITORY_EXCLUDES), "*\n");
    expect((await warnings())[0]).toMatch(/changed since it was trusted, and what was trusted/);
  });

  it("is nothing to tell of where there is no backup, or nothing in it", async () => {
    const none = await estate({ [REPOSITORY_EXCLUDES]: "x\n" }, "backup = false\n");
    expect((await none.read()).registry.warnings).toEqual([]);
    const empty = await estate({ [REPOSITORY_EXCLUDES]: "# nothing\n" });
    expect((await empty.read()).registry.warnings).toEqual([]);
  });
});

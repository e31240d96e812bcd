import { describe, expect, it } from "vitest";
import { BUILT_IN_RULES } from "../../registry/backup-rules.ts";
import { checkSpec } from "../../rsync/spec.ts";
import { plainSpec } from "../rsync/plain-spec.ts";
import { read } from "./rig.ts";

const TEXT = `[defaults]
repos_root = "/repos"
backup_root = "/backup"
backup_fstype = "nfs4"
backup_source = "nas:/tank/repos"
max_delete = 50
exclude = ["node_modules/", "*.o"]

[[project]]
name = "alpha"

[[project]]
name = "beta"
max_delete = 7
max_delete_percent = 40
min_files_percent = 0
min_bytes_percent = 100
exclude = []
`;

describe("what a mirror run may do", () => {
  it("is the defaults', and a project's own takes the place of it, one by one", async () => {
    const { registry, problems } = await read({
      "repoman.toml": TEXT,
      "repos.d/alpha.toml": "max_delete_percent = 5\n",
    });
    expect(problems).toEqual([]);
    expect(registry.defaults).toMatchObject({
      backupFstype: "nfs4",
      backupSource: "nas:/tank/repos",
    });
    expect(registry.projects.map(({ backupRules }) => backupRules)).toEqual([
      { maxDelete: 50, maxDeletePercent: 5, exclude: ["node_modules/", "*.o"] },
      { maxDelete: 7, maxDeletePercent: 40, minFilesPercent: 0, minBytesPercent: 100 },
    ]);
  });

  it("is left to the engine where nothing is said, whose values the schema shows", async () => {
    const { registry } = await read({ "repoman.toml": '[[project]]\nname = "alpha"\n' });
    expect(registry.projects[0]).not.toHaveProperty("backupRules");
    expect(checkSpec(plainSpec())).toMatchObject({
      maxDelete: BUILT_IN_RULES.max_delete,
      maxDeletePercent: BUILT_IN_RULES.max_delete_percent,
      minFilesPercent: BUILT_IN_RULES.min_files_percent,
      minBytesPercent: BUILT_IN_RULES.min_bytes_percent,
    });
  });

  it.each([
    ["max_delete = -1", "no whole number"],
    ["max_delete = 1.5", "no whole number"],
    ['max_delete = "many"', "must be a number"],
    ["max_delete_percent = 101", "no whole number from 0 to 100"],
    ['exclude = ["*"]', "the whole repository"],
    ['exclude = ["a\\u0000b"]', "line break"],
    ['exclude = "x"', "must be a list"],
  ])("refuses %s", async (line, what) => {
    const { problems } = await read({ "repoman.toml": `[[project]]\nname = "alpha"\n${line}\n` });
    expect(problems.map((each) => each.what).join()).toContain(what);
  });
});

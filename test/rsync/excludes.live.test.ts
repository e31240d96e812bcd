import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { mirror, pending } from "../../rsync/index.ts";
import { everything } from "./everything.ts";
import { repaired } from "./repaired.ts";
import { stateOf } from "./state-of.ts";
import { MB } from "./unfinished.ts";
import { type Workbench, workbench } from "./workbench.ts";

/** So many that what a test takes away is little. */
const MORE = [...Array(20).keys()].map((i) => `more-${i}`);

describe("excludes", () => {
  const tree = ({ spec }: Workbench, ...names: string[]) => {
    for (const name of names) {
      mkdirSync(join(spec.source, name, ".."), { recursive: true });
      writeFileSync(join(spec.source, name), name);
    }
  };
  const copied = async ({ spec }: Workbench) =>
    (await execa("find", [spec.destination, "-type", "f", "-printf", "%P\n"])).stdout
      .split("\n")
      .sort();

  test("of registry and repository leave files out, and never delete their copies", async () => {
    const bench = await workbench("ext4");
    tree(bench, "keep", "build/out", "node_modules/x/y", "notes.tmp");
    await mirror(bench.spec);
    const all = await copied(bench);
    writeFileSync(join(bench.spec.source, ".repoman-exclude"), "build/\n*.tmp\n");
    const spec = { ...bench.spec, exclude: ["node_modules/"] };
    rmSync(join(spec.source, "build"), { recursive: true });
    rmSync(join(spec.source, "node_modules"), { recursive: true });
    rmSync(join(spec.source, "notes.tmp"));
    expect((await mirror(spec, { allowDeletes: true })).result).toBe("ok");
    expect(await copied(bench)).toEqual([".repoman-exclude", ...all].sort());
    expect((await mirror(spec)).counts).toMatchObject({ created: 0, deleted: 0, copied: 0 });
  });

  test.each([
    ["!\n", "clear"],
    ["- /keep\n!\n+ /\n", "clear after a rule"],
    ["+ *\n", "include"],
    ["merge /etc/passwd\n. /etc/passwd\n", "merge"],
    [": .rules\ndir-merge .rules\n", "merge by folder"],
    ["R *\nrisk *\n-s *\nH *\n-! keep\n", "modifiers"],
    ["--delete-excluded\n--delete\n", "options"],
    ["*\n/*\n**\n/**\n", "everything"],
    ["/\0keep\n", "NUL"],
  ])("of a hostile repository cannot do harm: %j", async (text) => {
    const bench = await workbench("ext4");
    tree(bench, "keep", "also", "skip/this", "sub/.rules", ...MORE);
    writeFileSync(join(bench.spec.source, "sub/.rules"), "- *\n!\n");
    await mirror(bench.spec);
    rmSync(join(bench.spec.source, "skip"), { recursive: true });
    const spec = { ...bench.spec, exclude: ["/skip"] };
    writeFileSync(join(spec.source, ".repoman-exclude"), text);
    writeFileSync(join(spec.source, "new"), "new");
    const record = await mirror(spec);
    expect(record.result).toBe("ok");
    expect(await copied(bench)).toEqual(
      [".repoman-exclude", "also", "keep", "new", "skip/this", "sub/.rules", ...MORE].sort(),
    );
    rmSync(join(spec.source, ".repoman-exclude"));
    await repaired(bench);
  });

  test("that leave nothing are refused, for a first copy and for a later one", async () => {
    const bench = await workbench("ext4");
    const { spec } = bench;
    await everything(spec.source);
    const file = join(spec.source, ".repoman-exclude");
    const refused = async () => {
      writeFileSync(file, "?*\n");
      expect(await pending(spec)).toMatchObject({
        refused: { reason: expect.stringContaining("leave nothing") },
      });
      expect((await mirror(spec)).result).toBe("refused");
      expect((await mirror(spec, { allowDeletes: true })).result).toBe("refused");
      rmSync(file);
    };
    await refused();
    await repaired(bench);
    const before = await stateOf(spec.destination);
    await refused();
    expect(await stateOf(spec.destination)).toBe(before);
    await repaired(bench);
  });

  test("in a file that is none are ignored with a word", async () => {
    const bench = await workbench("ext4");
    tree(bench, ...MORE);
    writeFileSync(join(bench.spec.source, "large"), MB);
    const file = join(bench.spec.source, ".repoman-exclude");
    const said: string[] = [];
    const run = async () => {
      const record = await repaired(bench);
      said.push(...record.warnings.filter((text) => text.includes(".repoman-exclude")));
      rmSync(file, { recursive: true });
    };
    symlinkSync("/etc/shadow", file);
    await run();
    await execa("mkfifo", [file]);
    await run();
    mkdirSync(file);
    await run();
    writeFileSync(file, "x\n".repeat(100_000));
    await run();
    expect(said.map((text) => text.replace(/.*?(is|cannot) /, "$1 "))).toEqual([
      "is a symbolic link and is ignored",
      "is not a regular file and is ignored",
      "is not a regular file and is ignored",
      "is larger than 64 KiB and is ignored",
    ]);
    await repaired(bench);
  });

  test("are those that were agreed with, whatever the file says since", async () => {
    const bench = await workbench("ext4");
    tree(bench, "a", "b");
    const file = join(bench.spec.source, ".repoman-exclude");
    writeFileSync(file, "b\n");
    const spec = { ...bench.spec, repositoryExclude: { trusted: "b\n!\n" } };
    expect((await mirror(spec)).warnings.join()).toContain("rules cannot be cleared");
    expect(await copied(bench)).toEqual([".repoman-exclude", "a"]);
    writeFileSync(file, "a\n");
    await mirror(spec);
    expect(await copied(bench)).toEqual([".repoman-exclude", "a"]);
    await mirror({ ...spec, repositoryExclude: "ignore" });
    expect(await copied(bench)).toEqual([".repoman-exclude", "a", "b"]);
  });
});

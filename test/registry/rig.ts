import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readEstate } from "../../registry/estate.ts";
import type { Problem } from "../../registry/types.ts";
import type { Approved } from "../../registry/wishes.ts";

/** Stands before the character that a problem is expected at. */
const MARK = "«";

interface Options {
  env?: NodeJS.ProcessEnv;
  approved?: ReadonlyMap<string, Approved>;
}

/** The folder of one estate, gone after the test; `home` is in it. */
export async function folder(): Promise<{ config: string; home: string; vendor: string }> {
  const root = await mkdtemp(join(tmpdir(), "repoman-registry-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return { config: join(root, "config"), home: join(root, "home"), vendor: join(root, "vendor") };
}

/** Writes files, reads the estate that they make, and removes them. */
export async function read(files: Record<string, string>, options: Options = {}) {
  const { config, home, vendor } = await folder();
  const root = dirname(config);
  for (const [name, text] of Object.entries(files)) {
    const base = name.startsWith("vendor/") || name.startsWith("home/") ? root : config;
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), text);
  }
  await mkdir(home, { recursive: true });
  const result = await readEstate({
    file: join(config, "repoman.toml"),
    env: { HOME: home, ...options.env },
    user: { name: "dev", uid: 1000, gid: 1000, home },
    vendorDir: vendor,
    ...(options.approved && { approved: options.approved }),
  });
  const after = await readFile(join(config, "repoman.toml"), "utf8");
  // Property tests make hundreds.
  await rm(root, { recursive: true, force: true });
  return { ...result, home, after, problems: result.problems.map((each) => within(each, config)) };
}

/** A problem with its file relative to the folder of the registry. */
function within(problem: Problem, config: string): Problem {
  return { ...problem, file: problem.file.replace(`${config}/`, "") };
}

/** Reads files in which each problem's place is marked, and pairs the two. */
export async function marked(files: Record<string, string>, options: Options = {}) {
  const places: string[] = [];
  const clean: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) {
    clean[name] = text.replaceAll(MARK, "");
    text.split("\n").forEach((line, index) => {
      let shift = 0;
      for (let at = line.indexOf(MARK); at >= 0; at = line.indexOf(MARK, at + 1)) {
        places.push(`${name}:${index + 1}:${at + 1 - shift}`);
        shift += 1;
      }
    });
  }
  const { problems, ...rest } = await read(clean, options);
  const found = problems.map(({ file, line, column }) => `${file}:${line}:${column}`);
  return { ...rest, problems, places: places.sort(), found: found.sort() };
}

/** A registry that is good, to plant something in. */
export const GOOD = `[repoman]
schema = 3

[defaults]
repos_root = "/repos"
backup_root = "/backup"

[[project]]
name = "alpha"
`;

/** The good registry with more in its project. */
export const at = (project: string): string => `${GOOD}${project}\n`;

/** The good registry with another project. */
export const and = (project: string): string => `${GOOD}\n[[project]]\nname = "beta"\n${project}\n`;

/** What is wrong, the text (« before the place), and words of the message and of the remedy. */
export type Example = [name: string, text: string, what: RegExp, remedy: RegExp];

/** Each example has one problem, which is reported where it is, on one line, with a remedy. */
export function examples(title: string, list: Example[]): void {
  describe(title, () => {
    it.each(list)("is reported at its place: %s", async (_, text, what, remedy) => {
      const { problems, places, found } = await marked({ "repoman.toml": text });
      expect(problems.map((problem) => problem.what)).toHaveLength(1);
      expect(found).toEqual(places);
      expect(problems[0]?.what).toMatch(what);
      expect(problems[0]?.remedy).toMatch(remedy);
      expect(`${problems[0]?.what}${problems[0]?.remedy}`).not.toMatch(/[\n\r]/);
    });
  });
}

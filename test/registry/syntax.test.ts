import { describe, expect, it } from "vitest";
import { GOOD, marked, read } from "./rig.ts";

describe("a syntax error", () => {
  it("is reported where it is", async () => {
    const { problems, places, found } = await marked({
      "repoman.toml": `${GOOD}image = «images:x\n`,
    });
    expect(found).toEqual(places);
    expect(problems[0]?.what).toMatch(/^not TOML here: /);
  });

  it("costs only the project that holds it: what is wrong elsewhere is found as well", async () => {
    const { places, found, problems } = await marked({
      "repoman.toml": `${GOOD}
[[project]]
name = "broken"
image = «images:x
unknown = "not reported: nobody knows what this table is"
[project.env]
A = 1

[[project]]
name = "gamma"
«imgae = "x"

[[project]]
name = "broken-too
repo = "x"

[[project]]
name = "delta"
«imgae = "y"
`,
      "repos.d/broken.toml": 'image = "y"\n',
    });
    // The end of an unterminated string is where the parser stood: the line's last column.
    const [unterminated] = found.filter((place) => !places.includes(place));
    expect(unterminated).toMatch(/^repoman\.toml:2[34]:/);
    expect(problems).toHaveLength(4);
  });

  it("in a header costs the table below it", async () => {
    const { found } = await marked({
      "repoman.toml": `${GOOD}\n[[project]\nname = "beta"\n\n[[project]]\nname = "alpha"\n`,
    });
    expect(found).toEqual(["repoman.toml:11:11", "repoman.toml:15:8"]);
  });

  it.each([
    ["nothing", ""],
    ["white space", " \n\t\n"],
    ["a byte order mark", `\ufeff${GOOD}`],
    ["line ends of Windows", GOOD.replaceAll("\n", "\r\n")],
    ["no line end", GOOD.trimEnd()],
  ])("is not seen in %s", async (_, text) => {
    expect((await read({ "repoman.toml": text })).problems).toEqual([]);
  });

  it.each([
    ["one bracket", "["],
    ["a NUL", "\0"],
    ["noise", "=]]\n[[=\n\"\"\"\n'''\n[\n{"],
    ["much noise", "[[[\n= =\n".repeat(200)],
    ["deep nesting", `a = ${"[".repeat(5000)}`],
    ["a poisoned key", "[project.__proto__]\nx = 1\n"],
  ])("in %s ends with problems, not with an exception", async (_, text) => {
    const { problems } = await read({ "repoman.toml": text });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(60);
  });

  it("is found at the same place with line ends of Windows", async () => {
    const text = `${GOOD}imgae = 1\n`.replaceAll("\n", "\r\n");
    expect((await read({ "repoman.toml": text })).problems).toMatchObject([
      { line: 10, column: 1 },
    ]);
  });

  it("in bytes that are not UTF-8 is a fault of the file", async () => {
    const { writeFile, mkdir } = await import("node:fs/promises");
    const { folder } = await import("./rig.ts");
    const { loadRegistry } = await import("../../registry/load.ts");
    const { config, home } = await folder();
    await mkdir(config, { recursive: true });
    await writeFile(`${config}/repoman.toml`, Buffer.from([0x61, 0xff, 0xfe]));
    const user = { name: "dev", uid: 1, gid: 1, home };
    await expect(loadRegistry({ file: `${config}/repoman.toml`, env: {}, user })).rejects.toThrow(
      "is not UTF-8 text",
    );
  });
});

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  readStackConfig,
  stackConfigFile,
  writeStackConfig,
} from "../../cli/pulumi/stack-config.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
  file = stackConfigFile(folder, "host");
});
afterEach(() => rm(folder, { recursive: true }));

const EDITED = `# This host: see the wiki.
encryptionsalt: v1:JwJyGXS1GgQ=:v1:JTRyNcJgWSr10dfy:aSXJNW8JA68VvxR9eEycoBEzJr1X3w==
config:
  # all of them, for now
  repoman:profiles: all

  repoman:remote: "build" # the fast one
`;

describe("a stack's config", () => {
  test("that is absent, empty or without settings reads as empty", async () => {
    expect(await readStackConfig(file)).toEqual({});
    for (const text of ["", "encryptionsalt: v1:x\n", "config:\n", "# nothing\n", "config: {}\n"]) {
      await writeFile(file, text);
      expect(await readStackConfig(file)).toEqual({});
    }
  });

  test("keeps comments, order and everything that is not ours", async () => {
    await writeFile(file, EDITED);
    await writeStackConfig(file, { stackId: "0123456789abcdef", registry: "/a b/repoman.toml" });
    expect(await readFile(file, "utf8")).toBe(
      `${EDITED}  repoman:stackId: 0123456789abcdef\n  repoman:registry: /a b/repoman.toml\n`,
    );
    expect(await readStackConfig(file)).toEqual({
      profiles: "all",
      stackId: "0123456789abcdef",
      registry: "/a b/repoman.toml",
      remote: "build",
    });
  });

  test.each(["", "encryptionsalt: v1:x\n", "config:\n", "config:\n  aws:region: x\n"])(
    "gets its settings into %j",
    async (text) => {
      await writeFile(file, text);
      await writeStackConfig(file, { stackId: "aaaabbbbcccc" });
      expect((await readStackConfig(file)).stackId).toBe("aaaabbbbcccc");
      for (const line of text.split("\n").filter((each) => each !== "config:")) {
        expect(await readFile(file, "utf8")).toContain(line);
      }
    },
  );

  test.each(["1234567890123456", "12345e6789012345", "0x12345678901234"])(
    "keeps the id %s a string",
    async (stackId) => {
      await writeStackConfig(file, { stackId });
      expect((await readStackConfig(file)).stackId).toBe(stackId);
    },
  );

  test.each(["true", "../../../x", "a/bcdefgh", "x".repeat(65)])(
    "with %j where the id belongs is a fault: it becomes part of file names",
    async (id) => {
      await writeFile(file, `config:\n  repoman:stackId: ${id}\n`);
      await expect(readStackConfig(file)).rejects.toThrow("is not an id of a stack");
    },
  );

  test("is left untouched where nothing changes", async () => {
    const text = 'config:   {"repoman:stackId":   abcdefgh}\n';
    await writeFile(file, text);
    const before = await stat(file);
    await writeStackConfig(file, { stackId: "abcdefgh" });
    expect((await stat(file)).ino).toBe(before.ino);
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("is replaced, never rewritten in place, and keeps its mode", async () => {
    await writeFile(file, EDITED);
    await chmod(file, 0o600);
    const before = await stat(file);
    await writeStackConfig(file, { stackId: "abcdefgh" });
    const after = await stat(file);
    expect(after.ino).not.toBe(before.ino);
    expect(after.mode).toBe(before.mode);
    expect(await readdir(folder)).toEqual(["Pulumi.host.yaml"]);
  });

  test("that is broken is a fault that names the place, and is not touched", async () => {
    await writeFile(file, "config:\n  repoman:remote: [a\n");
    await expect(readStackConfig(file)).rejects.toThrow(/Pulumi\.host\.yaml:\d+:\d+: .*\n {2}Mend/);
    await expect(writeStackConfig(file, { stackId: "abcdefgh" })).rejects.toThrow("Mend the YAML");
    expect(await readFile(file, "utf8")).toBe("config:\n  repoman:remote: [a\n");
    await writeFile(file, "- a\n");
    await expect(readStackConfig(file)).rejects.toThrow("is not a map");
  });

  test("with a secret where a plain string belongs is a fault", async () => {
    await writeFile(file, "config:\n  repoman:registry:\n    secure: v1:abc\n");
    await expect(readStackConfig(file)).rejects.toThrow("repoman:registry is not a plain string");
  });
});

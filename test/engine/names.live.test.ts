// Names are hostile until they have been checked: refused, or handled, never interpreted.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { expectNoChanges, instanceNames, repoman, Shared, up } from "./estate.ts";

const shared = new Shared({ images: ["busybox"], repos: ["alpha"] });
let daemon: Daemon;
let host: Host;

beforeAll(() => {
  ({ daemon, host } = shared);
});

describe("a name that is no name", () => {
  test.each(["a; rm -rf ~", "../x", "-rf", "$(touch pwned)", "a b", "ünicode", "a\nb"])(
    "%j is refused with its line, and nothing is made",
    async (name) => {
      host.writeRegistry({ project: [{ name, repo: "alpha" }] });
      const { all } = await repoman(host, 1, "up", "--yes");
      expect(all).toMatch(/repoman\.toml:\d+:\d+: /);
      expect(all).not.toMatch(/^\s+at /m);
      expect((await daemon.api("GET", "/1.0/projects")).metadata).toHaveLength(1);
      expect(existsSync(join(host.project, "pwned"))).toBe(false);
    },
  );

  test.each(["busy'box", 'busy"box', "-rf", "a\nb", "$(id)"])(
    "the image %j is refused or not found, and nothing runs it",
    async (image) => {
      host.writeRegistry({ project: [{ name: "alpha", image }] });
      const { all, exitCode } = await host.repoman(["up", "--yes"], {
        env: { PULUMI_STACK: "rig" },
      });
      expect(exitCode, all).toBe(1);
      expect(all).not.toMatch(/^\s+at /m);
      expect(await instanceNames(daemon)).toEqual([]);
    },
  );
});

test("a path that is odd is mounted and mirrored as it is", async () => {
  const folders = ["with space", "naïve-ä", "semi;colon", "quote's", "$(id)", "two\nlines"];
  for (const folder of folders) await host.repo(folder, { file: "content\n" });
  host.writeRegistry({ project: folders.map((repo, index) => ({ name: `odd${index}`, repo })) });
  await up(host);
  const { uid, gid } = host.user;
  for (const [index, folder] of folders.entries()) {
    const cwd = join(host.reposRoot, folder);
    const inside = await host.sh(`odd${index}`, "cat file && touch made", { uid, gid, cwd });
    expect(inside.all, folder).toBe("content\n");
    expect(existsSync(join(cwd, "made")), folder).toBe(true);
    expect(existsSync(join(host.backup.path, folder, "file")), folder).toBe(true);
  }
  await expectNoChanges(host);
});

// How a stack is made, found again, and given up.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { until } from "../rig/place.ts";
import { startBucket } from "./tiny/bucket.ts";
import { ALL, SharedTiny, type TinyHost } from "./tiny/host.ts";

const shared = new SharedTiny();
let host: TinyHost;
beforeEach(() => {
  host = shared.host;
});

const config = (stack = "rig") => join(host.project, `Pulumi.${stack}.yaml`);

describe("a stack's first use", () => {
  test("makes it with an id that is kept twice, and says so once", async () => {
    const first = await host.repoman(["env"]);
    expect(first).toMatchObject({ exitCode: 0, stderr: 'Made the stack "rig".\n' });
    const id = readFileSync(host.stackFile("id"), "utf8").trim();
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(readFileSync(config(), "utf8")).toMatch(
      new RegExp(`^config:\n  repoman:stackId: "?${id}"?$`, "m"),
    );

    const text = readFileSync(config(), "utf8");
    expect(await host.repoman(["env"])).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: first.stdout,
    });
    expect(readFileSync(config(), "utf8")).toBe(text);
  });

  test("by several at once makes one", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => host.repoman(["env"])));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes("Made the stack"))).toHaveLength(1);
    expect(readFileSync(config(), "utf8")).toContain(
      readFileSync(host.stackFile("id"), "utf8").trim(),
    );
  });

  test("refuses two ids rather than choosing one", async () => {
    await host.repoman(["env"]);
    writeFileSync(host.stackFile("id"), "another-id-than-that\n");
    const { exitCode, stderr } = await host.repoman(["preview"]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      /^error: the id of the stack "rig" is [0-9a-f]{16} in .*Pulumi\.rig\.yaml and another-id-than-that in /,
    );
  });
});

shared.scenario("a stack in use", () => {
  test("prints an environment in which plain pulumi works, and no secret", async () => {
    const { stdout } = await host.repoman(["env"]);
    const script = `eval "$1"; [ "$PULUMI_STACK" = rig ] && cd "$REPOMAN_ROOT" && pulumi up --yes --skip-preview`;
    const up = await host.run(["sh", "-c", script, "sh", stdout]);
    expect(up).toMatchObject({ exitCode: 0 });
    expect(host.things()).toEqual(ALL);
    const passphrase = readFileSync(
      join(host.home, ".local/state/repoman/passphrase"),
      "utf8",
    ).trim();
    expect(stdout).not.toContain(passphrase);
  });

  test("restores the id from whichever place still has it", async () => {
    const id = readFileSync(host.stackFile("id"), "utf8");

    rmSync(config());
    await host.repoman(["env"]);
    expect(readFileSync(config(), "utf8")).toContain(id.trim());

    rmSync(host.stackFile("id"));
    await host.repoman(["env"]);
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);

    rmSync(config());
    rmSync(host.stackFile("id"));
    await host.repoman(["env"]);
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);
  });

  test("records the registry that it is given, and says when that changes; all is as it was", async () => {
    const other = host.write(
      "other/repoman.toml",
      readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8"),
    );
    await host.repoman(["env", "--registry", "../../../.config/repoman/repoman.toml"], {
      cwd: join(host.home, "repos/alpha/.git"),
    });
    const before = join(host.home, ".config/repoman/repoman.toml");
    expect(readFileSync(config(), "utf8")).toContain(`repoman:registry: ${before}\n`);
    const preview = ["preview", "--registry", other, "--expect-no-changes"];
    const { stderr } = await host.expectExit(0, ...preview);
    expect(stderr).toContain(`The stack "rig" now follows ${other} (before: ${before}).\n`);
    expect(readFileSync(config(), "utf8")).toContain(`repoman:registry: ${other}\n`);
    expect((await host.repoman(["env"])).stderr).toBe("");
  });
});

test("a stack in a bucket is made, remembered, unlocked by its owner, and made again", async () => {
  const bucket = await startBucket();
  const there = { PULUMI_BACKEND_URL: bucket.url, ...bucket.env };
  Object.assign(host.env, there);
  try {
    expect((await host.expectExit(0, "env")).stderr).toContain("Made the stack");
    expect((await host.expectExit(0, "env")).stderr).toBe("");

    host.order("RepoContainer-alpha", "hold");
    const up = host.spawnRepoman(["up", "--yes", "--skip-preview"]);
    await until("a thing", () => host.things().includes("RepoContainer-alpha"), 60_000);
    await up.killAll();
    host.order("RepoContainer-alpha", "");
    // Whose lock it is cannot be told from here.
    const refused = await host.expectExit(4, "up", "--yes", "--skip-preview");
    expect(refused.stderr).toContain("`pulumi cancel`");
    expect(await host.pulumi(["cancel", "--yes"])).toMatchObject({ exitCode: 0 });
    const next = await host.expectExit(0, "up", "--yes", "--skip-preview");
    expect(next.stderr).toContain("what it had begun is taken up again");
    expect(next.all).not.toContain("pending operation");
    expect(host.things()).toEqual(ALL);

    // Gone behind repoman's back.
    expect(await host.pulumi(["destroy", "--yes", "--skip-preview", "--remove"])).toMatchObject({
      exitCode: 0,
    });
    await host.expectExit(3, "preview");
    expect((await host.expectExit(0, "env")).stderr).toContain("Made the stack");
  } finally {
    bucket.close();
    for (const name of Object.keys(there)) delete host.env[name];
  }
});

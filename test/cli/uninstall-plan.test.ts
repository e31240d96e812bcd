import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { planUninstall, type UninstallPlan } from "../../cli/estate/uninstall-plan.ts";
import { findSetting } from "../../cli/setting.ts";
import { ROOT } from "../../tools/toolchain.js";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "uninstall-"));
  file("project/Pulumi.yaml", "name: repoman\n");
  copyFileSync(join(ROOT, "package.json"), join(home, "project/package.json"));
  file("state/repoman/stacks/demo/id", "aaaaaaaa\n");
  file("cache/repoman/toolchain/node", "");
});
afterEach(() => rm(home, { recursive: true }));

function file(name: string, text: string): void {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), text);
}

const BUCKET = "s3://states";

function plan(backend: string): Promise<UninstallPlan> {
  return planUninstall(
    findSetting({
      stack: "demo",
      root: join(home, "project"),
      env: {
        HOME: home,
        USER: "u",
        PATH: process.env.PATH,
        XDG_STATE_HOME: join(home, "state"),
        XDG_CACHE_HOME: join(home, "cache"),
        XDG_DATA_HOME: join(home, "data"),
        XDG_CONFIG_HOME: join(home, "config"),
        REPOMAN_TOOLCHAIN: join(home, "cache/repoman/toolchain"),
        PULUMI_BACKEND_URL: backend,
      },
    }),
  );
}

const places = (things: UninstallPlan["goes"]) => things.map(({ place }) => place);

test.each([
  ["a config in the project's folder", () => file("project/Pulumi.laptop.yaml", "config: {}\n")],
  [
    "a state in the folder that is the default",
    () => file("state/repoman/pulumi/.pulumi/stacks/repoman/laptop.json", "{}"),
  ],
  [
    "having been seen in some backend",
    () => file("state/repoman/stacks/laptop/backend", "gs://other"),
  ],
])("a bucket's stack is not the last where another is known by %s", async (_by, make) => {
  make();
  const { last, goes, stays, ofStack } = await plan(BUCKET);
  expect(last).toBe(false);
  const shared = join(home, "cache/repoman");
  expect(places(goes)).not.toContain(shared);
  expect(stays).toContainEqual({
    what: "the toolchain and other caches: laptop needs it; repoman uninstall --stack laptop",
    place: shared,
  });
  expect(ofStack).toEqual([join(home, "state/repoman/stacks/demo")]);
});

test("a bucket's stack that is alone takes all along", async () => {
  // What is left of stacks that are gone; and this one's own.
  file("state/repoman/stacks/gone/backend", "");
  file("state/repoman/stacks/removed/id", "bbbbbbbb\n");
  file("project/Pulumi.demo.yaml", "config:\n  repoman:stackId: aaaaaaaa\n");
  const { last, ofState } = await plan(BUCKET);
  expect(last).toBe(true);
  expect(ofState).toContain(join(home, "state/repoman/stacks"));
});

test("an id that leads elsewhere is no part of a path that is removed", async () => {
  const lock = join(home, "state/repoman/x.provider.lock");
  writeFileSync(lock, "");
  file("project/Pulumi.demo.yaml", "config:\n  repoman:stackId: ../x\n");
  await expect(plan(BUCKET)).rejects.toThrow('"../x" is not an id of a stack');
  expect(existsSync(lock)).toBe(true);
});

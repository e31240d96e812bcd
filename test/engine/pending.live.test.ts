// What a preview says of copies that a run would change now, and how a run shows where it is.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTerminal } from "../cli/terminal.ts";
import { expectNoChanges, repoman, Shared, STACK, up } from "./estate.ts";

const shared = new Shared();

test("a preview tells what is pending where the stack's config asks for it, and up is left alone by it", async () => {
  const { host } = shared;
  shared.projects("alpha");
  await up(host, "alpha");
  const alpha = join(host.reposRoot, "alpha");
  writeFileSync(join(alpha, "one"), "1234");
  await expectNoChanges(host);
  const set = await host.pulumi(["config", "set", "repoman:pending", "true"], {
    env: { PULUMI_STACK: STACK },
  });
  expect(set.exitCode, set.all).toBe(0);
  const { all } = await repoman(host, 0, "preview", "--diff", "alpha");
  expect(all).toMatch(/\+ pending *: "1 file, 4 B, 0 to delete"/);
  const { all: changed } = await up(host, "alpha");
  expect(changed).not.toMatch(/\d+ (updated|created|replaced|deleted)/);
  await repoman(host, 0, "sync", "alpha");
  await repoman(host, 0, "preview", "--expect-no-changes", "alpha");
  rmSync(join(alpha, "one"));
});

test("a run moves its own line in Pulumi's display", async () => {
  const { host } = shared;
  shared.projects("beta");
  writeFileSync(join(host.reposRoot, "beta/big"), Buffer.alloc(160 << 20, 1));
  const argv = [join(host.project, "bin/repoman"), "up", "beta", "--yes", "--skip-preview"];
  const terminal = openTerminal(host, argv, { columns: 140, env: { PULUMI_STACK: STACK } });
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(0);
  expect(text).toMatch(/RsyncBackup +beta +creating.*copying/);
  rmSync(join(host.reposRoot, "beta/big"));
});

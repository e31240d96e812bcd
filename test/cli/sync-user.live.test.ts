// `repoman sync` as an ordinary user types it: what such a one can keep, and what is left when it is
// killed. No Incus is needed.

import { lchownSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { paths } from "../../host/paths.js";
import { readRecord } from "../../rsync/index.ts";
import type { Finished } from "../rig/command.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { until } from "../rig/place.ts";
import { everythingOfUsers } from "../rsync/everything.ts";
import { hold } from "../rsync/hold.ts";
import { differences } from "../rsync/same-tree.ts";
import { fsck, MOMENTS, rsyncs, Victim } from "../rsync/victim.ts";

let host: Host;
let recordsDir: string;

beforeAll(async () => {
  host = await makeHost({ user: "dev" });
  recordsDir = paths(host.env).backupRecords;
  await host.repo("alpha", { "src/main.c": "int main;\n", "bin/run": "#!/bin/sh\n" });
  host.writeRegistry({ project: [{ name: "alpha" }] });
});
afterAll(() => host?.dispose());

async function repoman(code: number, ...args: string[]): Promise<Finished> {
  const finished = await host.repoman(args);
  expect(finished.exitCode, finished.all).toBe(code);
  return finished;
}

const copyOf = (name: string) => join(host.backup.path, name);
const sourceOf = (name: string) => join(host.reposRoot, name);

test("keeps all of the user's own files, and says whose owners it cannot keep, and what it cannot read", async () => {
  expect((await repoman(0, "sync")).all).not.toContain("warning");
  expect(await differences(sourceOf("alpha"), copyOf("alpha"))).toEqual([]);

  // As root in a container leaves it.
  const foreign = join(sourceOf("alpha"), "foreign");
  writeFileSync(foreign, "foreign\n");
  lchownSync(foreign, 1_000_000, 1_000_000);
  const { all } = await repoman(0, "sync");
  expect(all).toContain(
    "warning: Only root can keep the owners of files: those of others, such as foreign (1000000:1000000)",
  );
  expect(readFileSync(join(copyOf("alpha"), "foreign"), "utf8")).toBe("foreign\n");
  // It is not copied again and again for that.
  expect((await repoman(0, "sync")).all).toContain("nothing to do");

  writeFileSync(join(sourceOf("alpha"), "locked"), "secret", { mode: 0o600 });
  const { all: partial } = await repoman(1, "sync");
  expect(partial).toMatch(/alpha: partial .*locked.*Permission denied/);
  for (const name of ["foreign", "locked"]) rmSync(join(sourceOf("alpha"), name));
  await repoman(0, "sync");
  expect(await differences(sourceOf("alpha"), copyOf("alpha"))).toEqual([]);

  expect((await repoman(0, "backup", "verify", "--full")).stdout).toContain("alpha: ok");
  const to = join(host.home, "back");
  expect((await repoman(0, "restore", "alpha", "--to", to)).all).toContain("and verified");
  expect(await differences(sourceOf("alpha"), to)).toEqual([]);
});

test("killed in each phase while rsync lives on: nothing is lost, and the next one repairs", async () => {
  const victim = new Victim(sourceOf("victim"));
  const edit = async (work: () => Promise<void>) => {
    await work();
    await execa("chown", ["-hR", `${host.user.uid}:${host.user.gid}`, victim.source]);
  };
  await edit(() => victim.make(everythingOfUsers));
  host.writeRegistry({ project: [{ name: "victim" }] });
  await repoman(0, "sync");
  for (let moment = 0; moment < MOMENTS; moment++) {
    await edit(() => victim.edit());
    const held = await hold((await victim.opened())[moment] ?? "");
    const running = host.spawnRepoman(["sync"]);
    await held.asked;
    running.kill();
    await running.done;
    expect(rsyncs({ recordsDir }).length).toBeGreaterThanOrEqual(2);
    await held.release();
    await until("rsync's end", () => rsyncs({ recordsDir }).length === 0);
    expect((await readRecord(recordsDir, "victim"))?.reason).toContain("cut off");
    expect(await victim.harmed(copyOf("victim"))).toEqual([]);
    await repoman(0, "sync");
    expect(await differences(victim.source, copyOf("victim"))).toEqual([]);
    expect(await fsck(copyOf("victim"))).toBe("");
  }
});

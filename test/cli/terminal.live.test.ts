// What only a terminal sees: the question before a change, and the table after it.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Running } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { makeTinyHost, type TinyHost } from "./tiny/host.ts";

let daemon: Daemon;
let host: TinyHost;

beforeAll(async () => {
  daemon = await startDaemon({ bare: true });
  host = await makeTinyHost(daemon);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

/** Runs repoman on a terminal of its own, 90 columns wide, and types ^C once the file `type` is there. */
async function onTerminal(args: string, during?: (up: Running) => Promise<void>) {
  for (const name of ["type", "ended"]) rmSync(join(host.home, name), { force: true });
  const run = join(host.home, "run.sh");
  writeFileSync(run, `stty cols 90 rows 40\n"$1"/bin/repoman ${args}\necho $? >"$HOME/ended"\n`);
  // script(1) goes on until its input ends.
  const keys =
    'typed=; while [ ! -e "$HOME/ended" ]; do sleep 0.1; ' +
    '[ "$typed" ] || [ ! -e "$HOME/type" ] || { printf "\\003"; typed=1; }; done';
  const line = `{ ${keys}; } | script --quiet --command "sh '${run}' '${host.project}'" /dev/null`;
  const up = host.spawn(["sh", "-c", line], { env: { TERM: "xterm" } });
  await during?.(up);
  const { all } = await up.done;
  const text = stripVTControlCharacters(all).replaceAll("\r", "");
  return { exitCode: Number(readFileSync(join(host.home, "ended"), "utf8")), text };
}

test("without --yes it shows the changes and asks, and a no changes nothing", async () => {
  const { exitCode, text } = await onTerminal("up", async (up) => {
    await up.printed("Do you want to perform this update?");
    writeFileSync(join(host.home, "type"), "");
  });
  expect(exitCode, text).toBe(1);
  expect(host.things()).toEqual([]);
  expect(host.locks()).toEqual([]);
});

test("up ends with a table that fits, unless it is told otherwise", async () => {
  const { exitCode, text } = await onTerminal("up --yes --skip-preview");
  expect(exitCode, text).toBe(0);
  const table = text.slice(text.lastIndexOf("NAME ")).trimEnd().split("\n");
  expect(table).toHaveLength(3);
  expect(table[1]).toMatch(
    /^alpha\s+Running\s+10\.0\.0\.7\s+\/r\/alpha\s+busybox\s+shared\s+\d+ d ago$/,
  );
  for (const line of table) expect(line.length).toBeLessThanOrEqual(90);
  expect((await onTerminal("up --yes --skip-preview --no-summary")).text).not.toContain("NAME ");
});

test("without a terminal the table is there for who asks", async () => {
  expect((await host.repoman(["up", "--yes", "--skip-preview"])).all).not.toContain("NAME");
  const { stdout } = await host.repoman(["up", "--yes", "--skip-preview", "--summary"]);
  expect(stdout).toMatch(
    /\nNAME +STATE +ADDRESS +REPOSITORY +IMAGE +PROFILES +BACKUP\nalpha +Running/,
  );
  expect(
    (await host.repoman(["up", "--yes", "--skip-preview", "--summary", "--json"])).stdout,
  ).not.toContain("NAME");
});

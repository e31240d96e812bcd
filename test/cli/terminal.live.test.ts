// What only a terminal sees: the question before a change, and the table after it.

import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { KEY, openTerminal } from "./terminal.ts";
import { SharedTiny, type TinyHost } from "./tiny/host.ts";

const shared = new SharedTiny();
let host: TinyHost;
beforeEach(() => {
  host = shared.host;
});

const onTerminal = (...args: string[]) =>
  openTerminal(host, [join(host.project, "bin/repoman"), ...args], { columns: 90 });

test("without --yes it shows the changes and asks, and a no changes nothing", async () => {
  const up = onTerminal("up");
  await up.shows("Do you want to perform this update?");
  up.type(KEY.interrupt);
  const { exitCode, text } = await up.done;
  expect(exitCode, text).toBe(1);
  expect(host.things()).toEqual([]);
  expect(host.locks()).toEqual([]);
});

test("up ends with a table that fits, unless it is told otherwise", async () => {
  const { exitCode, text } = await onTerminal("up", "--yes", "--skip-preview").done;
  expect(exitCode, text).toBe(0);
  const table = text.slice(text.lastIndexOf("NAME ")).trimEnd().split("\n");
  expect(table).toHaveLength(3);
  expect(table[1]).toMatch(
    /^alpha\s+Running\s+10\.0\.0\.7\s+\/r\/alpha\s+busybox\s+shared\s+\d+ d ago$/,
  );
  for (const line of table) expect(line.length).toBeLessThanOrEqual(90);
  expect(
    (await onTerminal("up", "--yes", "--skip-preview", "--no-summary").done).text,
  ).not.toContain("NAME ");
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

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { start } from "../rig/command.ts";
import { KEY, openTerminal } from "./terminal.ts";

const home = mkdtempSync(join(tmpdir(), "repoman-terminal-"));
const machine = { home, spawn: start };
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("a command on a terminal reads keys, sees its window's size and hands on its exit code", async () => {
  const script =
    'stty size; read -r word; echo "got $word"; trap "stty size; exit 7" WINCH; echo on; while :; do sleep 0.05; done';
  const terminal = openTerminal(machine, ["sh", "-c", script], { columns: 71, rows: 23 });
  await terminal.shows("23 71");
  terminal.type(`a'b${KEY.enter}`);
  await terminal.shows("got a'b");
  await terminal.shows("on");
  await terminal.resize(101, 51);
  await terminal.shows("51 101");
  expect(await terminal.done).toMatchObject({ exitCode: 7 });
});

test("Ctrl-C reaches it", async () => {
  const terminal = openTerminal(machine, ["sh", "-c", "echo on; sleep 60"]);
  await terminal.shows("on");
  // Pressed again, as one does: a shell that is just starting a program may miss the first.
  const presses = setInterval(() => terminal.type(KEY.interrupt), 500);
  expect(await terminal.done).toMatchObject({ exitCode: 130 });
  clearInterval(presses);
});

// What `up` does to an Incus project of its state whose mark is not this stack's any more.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { Config } from "../../incus/types.ts";
import { MARK, marks, NOBODY } from "../../providers/ownership.ts";

const state = mkdtempSync(join(tmpdir(), "project-"));
vi.stubEnv("XDG_STATE_HOME", state);
afterAll(() => rmSync(state, { recursive: true }));

let live: { description: string; config: Config };
const client = {
  getProject: async () => ({ value: live }),
  updateProject: async (_name: string, change: (current: typeof live) => typeof live) => {
    live = change(live);
  },
};
vi.mock("../../providers/server.ts", () => ({ server: async () => client }));
const { handlers } = await import("../../providers/project.ts");

const own = { id: "aaaaaaaaaaaa", stack: "rig" };
const wanted = { remote: "", name: "repoman", description: "d", config: {}, owner: own };
const olds = { ...wanted, owner: NOBODY };

beforeEach(() => {
  live = { description: "theirs", config: {} };
});

test("one that lost its mark gets it back", async () => {
  await handlers.update("repoman", olds, wanted);
  expect(live).toEqual({ description: "d", config: marks(own, "repoman") });
});

test("one that another stack has by now is a conflict, and stays as it is", async () => {
  live.config = marks({ id: "bbbbbbbbbbbb", stack: "other" }, "repoman");
  const before = structuredClone(live);
  await expect(handlers.update("repoman", olds, wanted)).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(
      new RegExp(`belongs to the stack "other" \\(id bbbb.*${MARK.stack}=${own.id}`, "s"),
    ),
  });
  expect(live).toEqual(before);
});

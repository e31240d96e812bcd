import { describe, expect, test } from "vitest";
import { lower } from "../../rsync/copy.ts";
import type { Abilities } from "../../rsync/disk.ts";
import { type RunOutcome, readMessage } from "../../rsync/outcome.ts";
import { plainOutcome } from "./plain-spec.ts";

function read(...lines: string[]): RunOutcome {
  const outcome = plainOutcome();
  for (const line of lines) readMessage(line, outcome);
  return outcome;
}

const xattr = (name: string, why = "Operation not supported (95)") =>
  `rsync: [receiver] rsync_xal_set: lsetxattr("/b/.a.Xy12ab","${name}") failed: ${why}`;
const ACL =
  "rsync: [receiver] set_acl: sys_acl_set_file(a, ACL_TYPE_ACCESS): Operation not supported (95)";

describe("what rsync says on stderr", () => {
  test("of files that vanished is counted, and is no failure", () => {
    const outcome = read(
      'file has vanished: "/repos/demo/a"',
      'directory has vanished: "/repos/demo/.git/x"',
      "rsync warning: some files vanished before they could be transferred (code 24) at main.c(1338)",
    );
    expect(outcome).toMatchObject({
      vanished: 2,
      vanishedNames: ["/repos/demo/a", "/repos/demo/.git/x"],
      failures: [],
      lastError: expect.stringContaining("code 24"),
      unsupported: { acls: false, xattrs: [], other: false },
    });
  });

  test("of many is kept in its first twenty, and all are counted", () => {
    const lines = [...Array(30).keys()];
    const outcome = read(
      ...lines.map((i) => `file has vanished: "/v-${i}"`),
      ...lines.map(
        (i) => `rsync: [sender] send_files failed to open "/f-${i}": Permission denied (13)`,
      ),
    );
    expect(outcome.vanished).toBe(30);
    expect(outcome.vanishedNames).toHaveLength(20);
    expect(outcome.failures).toHaveLength(20);
    expect(outcome.failures[0]).toContain("/f-0");
  });

  test("at length is kept in part", () => {
    expect(read("x".repeat(9999)).failures[0]).toHaveLength(500);
  });

  test("of deletions that were stopped is noted", () => {
    expect(
      read(
        "Deletions stopped due to --max-delete limit (3 skipped)",
        "rsync error: the --max-delete limit stopped deletions (code 25)",
      ),
    ).toMatchObject({ deletionsStopped: true, failures: [] });
  });

  test("of attributes and ACLs that the disk does not take is told from all else", () => {
    expect(read(xattr("user.note"), xattr("user.note"), xattr("trusted.x"), ACL)).toMatchObject({
      unsupported: { acls: true, xattrs: ["user.note", "trusted.x"], other: false },
      failures: { length: 4 },
    });
    // Others than "not supported" are trouble with that file.
    for (const line of [
      xattr("user.note", "No space left on device (28)"),
      xattr("trusted.x", "Operation not permitted (1)"),
      ACL.replace(/Operation.*/, "Invalid argument (22)"),
      'rsync: [receiver] mkstemp "/b/.a.Xy12ab" failed: Operation not supported (95)',
    ]) {
      expect(read(line).unsupported).toEqual({ acls: false, xattrs: [], other: true });
    }
  });
});

describe("what a disk turns out not to keep", () => {
  const all: Abilities = { acls: true, xattrs: "all", nanoseconds: true };
  const lowered = (from: Partial<Abilities>, ...lines: string[]) => {
    const abilities = { ...all, ...from };
    return { again: lower(abilities, read(...lines)), ...abilities };
  };

  test("is left out of the next try", () => {
    expect(lowered({}, ACL)).toMatchObject({ again: true, acls: false, xattrs: "all" });
    expect(lowered({}, xattr("user.note"))).toMatchObject({ again: true, xattrs: "none" });
    expect(lowered({}, xattr("user.a"), ACL)).toMatchObject({
      again: true,
      acls: false,
      xattrs: "none",
      nanoseconds: true,
    });
  });

  test("may be all but the attributes of users, and then those as well", () => {
    const refused = xattr("trusted.note");
    expect(lowered({}, refused)).toMatchObject({ again: true, xattrs: "user" });
    expect(lowered({}, refused, xattr("user.note"))).toMatchObject({ xattrs: "none" });
    expect(lowered({ xattrs: "user" }, refused)).toMatchObject({ again: true, xattrs: "none" });
  });

  test("is not guessed where something else went wrong, or nothing did", () => {
    const other = 'rsync: [sender] send_files failed to open "/x": Permission denied (13)';
    for (const lines of [[], [other], [ACL, other], [xattr("user.note"), other]]) {
      expect(lowered({}, ...lines)).toEqual({ again: false, ...all });
    }
  });
});

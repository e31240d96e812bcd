import { describe, expect, test } from "vitest";
import { type Check, examine, type Patient } from "../../survey/health/check.ts";
import { judgeLan } from "../../survey/health/host.ts";
import { judgeMount, mountsOf } from "../../survey/health/mounts.ts";
import { judge } from "../../survey/health/repositories.ts";

describe("checks", () => {
  const check = (look: Check["look"], limit = 1000): Check => ({
    group: "host",
    subject: "it",
    limit,
    look,
  });
  const nobody = {} as Patient;

  test("that fail or take too long say so, and hold up no other", async () => {
    let stopped = false;
    const findings = await examine(nobody, [
      check(async () => {
        throw new Error("no\u001bluck\nat all");
      }),
      check((_, signal) => {
        signal.addEventListener("abort", () => {
          stopped = true;
        });
        return new Promise(() => {});
      }, 50),
      { ...check(async () => [{ group: "server", subject: "s", state: "good", what: "fine" }]) },
    ]);
    expect(findings).toEqual([
      { group: "server", subject: "s", state: "good", what: "fine" },
      {
        group: "host",
        subject: "it",
        state: "unknown",
        what: "could not be checked: no\\u001bluck",
      },
      {
        group: "host",
        subject: "it",
        state: "unknown",
        what: "could not be checked: no answer in 0.05 s",
      },
    ]);
    expect(stopped).toBe(true);
  });
});

describe("a mount", () => {
  const mount = { source: "/s", path: "/p", optional: false };
  const seen = (id: string, uid = 1000) => ({ id, uid, isFile: true });

  test("is what lies on the host, or stale, or not there", () => {
    expect(judgeMount(mount, seen("8:1"), seen("8:1"), true)).toBeUndefined();
    expect(judgeMount(mount, seen("8:2"), seen("8:1"), false)?.what).toContain("was replaced");
    expect(judgeMount(mount, seen("8:2"), undefined, false)?.what).toContain("is not mounted");
    const gone = judgeMount(mount, undefined, seen("8:1"), false);
    expect(gone?.what).toContain("gone from the host");
    expect(judgeMount({ ...mount, optional: true }, undefined, undefined, false)).toBeUndefined();
    expect(judgeMount(mount, "unknown", seen("8:1"), false)).toBeUndefined();
  });

  test("of the repository has its owner's id on both sides", () => {
    const wrong = judgeMount(mount, seen("8:1", 1000), seen("8:1", 65534), true);
    expect(wrong?.what).toContain("uid 1000 on the host and to 65534 inside");
    expect(judgeMount(mount, seen("8:1", 1000), seen("8:1", 65534), false)).toBeUndefined();
  });

  test("is a disk device with a place on the host", () => {
    const disk = { type: "disk", path: "/p" };
    const devices = {
      root: { type: "disk", path: "/", pool: "default" },
      volume: { ...disk, pool: "default", source: "v" },
      one: { ...disk, source: "/s", required: "false" },
      nic: { type: "nic" },
    };
    expect(mountsOf({ expanded_devices: devices })).toEqual([
      { source: "/s", path: "/p", optional: true },
    ]);
  });
});

test("the LAN address is one of this host's, or what it has now is named", () => {
  const interfaces = {
    lo: [{ address: "127.0.0.1", internal: true }],
    br0: [
      { address: "192.168.1.7", internal: false },
      { address: "fe80::1", internal: false },
    ],
  };
  expect(judgeLan("", interfaces).state).toBe("good");
  expect(judgeLan("192.168.1.7", interfaces)).toMatchObject({ state: "good" });
  expect(judgeLan("192.168.1.9", interfaces)).toMatchObject({
    state: "bad",
    what: expect.stringContaining("it has 192.168.1.7 on br0"),
    remedy: expect.stringContaining("repoman setup"),
  });
});

describe("the files of a repository", () => {
  const file = (uid: number, mode: string, path: string, isFile = true) => ({
    uid,
    mode,
    isFile,
    path,
  });

  test("that are root's, setuid or another's are told apart, their names harmless", () => {
    const odd = [
      file(0, "644", "a\u001b]0;x\u0007"),
      file(1000, "4755", "b"),
      file(1_000_000, "2755", "d", false),
    ];
    const found = judge("web", "/r", 1000, { odd }).map(({ state, what }) => [state, what]);
    expect(found).toEqual([
      ["bad", "1 file runs with its owner's rights (setuid or setgid): b"],
      ["bad", "1 file belongs to root of this host: a\\u001b]0;x\\u0007"],
      ["bad", "1 file does not belong to uid 1000, perhaps since root inside made it: d"],
    ]);
  });

  test("of root's own repository are only odd where they are setuid", () => {
    expect(judge("web", "/r", 0, { odd: [file(0, "4755", "b")] })).toHaveLength(1);
    expect(judge("web", "/r", 0, { odd: [] })).toMatchObject([{ state: "good" }]);
  });

  test("that were not all seen say so", () => {
    const cut = "it was not seen to its end in 10 s";
    expect(judge("web", "/r", 1000, { odd: [], cut })).toMatchObject([
      { state: "note", what: `nothing odd was found; ${cut}` },
    ]);
    const odd = [file(0, "644", "a")];
    expect(judge("web", "/r", 1000, { odd, cut })[0]?.what).toContain("1 or more file belongs");
  });
});

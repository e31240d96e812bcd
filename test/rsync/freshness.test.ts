import { describe, expect, test } from "vitest";
import { freshness } from "../../rsync/freshness.ts";
import type { Probe, RunRecord } from "../../rsync/index.ts";
import { noCounts } from "../../rsync/output.ts";
import { plainSpec } from "./plain-spec.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const MOUNT = { mountPoint: "/backup", fstype: "nfs4", source: "nas:/x" };
const DISK = { id: "d1", ...MOUNT };

function record(changes: Partial<RunRecord> = {}, at = "2026-03-01T11:30:00Z"): RunRecord {
  return {
    schema: 1,
    name: "demo",
    source: "/repos/demo",
    destination: "/backup/demo",
    result: "ok",
    startedAt: at,
    endedAt: at,
    seconds: 1,
    counts: noCounts(),
    failures: [],
    warnings: [],
    disk: DISK,
    lastGood: { at, files: 10, bytes: 10, disk: DISK, destinationMount: MOUNT, sourceMount: MOUNT },
    ...changes,
  };
}

const found: Probe = { ok: true, disk: DISK, mount: MOUNT, copyExists: true, warnings: [] };
const judge = (known: RunRecord | undefined, seen?: Probe) =>
  freshness(known, plainSpec(), NOW, seen);

describe("a copy is fresh", () => {
  test("when its last good run is young enough and all is as it was", () => {
    expect(judge(record(), found)).toEqual({ fresh: true });
    expect(judge(record({ result: "ok-vanished" }), found)).toEqual({ fresh: true });
    expect(freshness(record(), plainSpec({ destination: "/backup//demo/" }), NOW).fresh).toBe(true);
  });

  test.each<[string, RunRecord | undefined, Probe | undefined, RegExp]>([
    ["it was never made", undefined, found, /never copied/],
    ["it is too old", record({}, "2026-03-01T10:59:59Z"), found, /61 min|60 min/],
    ["its last run failed", record({ result: "failed", reason: "full" }), found, /failed: full/],
    ["its last run was refused", record({ result: "refused", reason: "r" }), found, /refused/],
    ["its last run was partial", record({ result: "partial", reason: "p" }), found, /partial/],
    ["the clock was set back", record({}, "2026-03-02T11:00:00Z"), found, /future/],
    ["its time is not one", record({}, "yesterday"), found, /no time/],
    ["the source is another", record({ source: "/repos/old" }), found, /\/repos\/old/],
    ["the copy is gone", record(), { ...found, copyExists: false } as Probe, /not there/],
    [
      "the copy's own file system is away",
      record(),
      { ...found, mount: { ...MOUNT, mountPoint: "/" } } as Probe,
      /\/backup, which is not mounted/,
    ],
    [
      "the disk is another",
      record(),
      { ...found, disk: { ...DISK, id: "d2" } } as Probe,
      /another disk/,
    ],
    [
      "the disk is away",
      record(),
      { ok: false, result: "unreachable", reason: "away", remedy: "" },
      /away/,
    ],
  ])("no longer when %s", (_, known, seen, why) => {
    const { fresh, reason } = judge(known, seen);
    expect(fresh).toBe(false);
    expect(reason).toMatch(why);
  });

  test("within the slack of a clock that was corrected a little", () => {
    expect(judge(record({}, "2026-03-01T12:00:30Z")).fresh).toBe(true);
  });
});

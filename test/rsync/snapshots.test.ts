import { describe, expect, test } from "vitest";
import { chooseSnapshot, dateIn, type Snapshot } from "../../rsync/snapshots.ts";

const local = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, ...(parts.slice(2) as [number])).getTime();

describe("the date in a snapshot's name", () => {
  test.each([
    ["2026-04-28", local(2026, 4, 28)],
    ["autosnap_2026-04-28_00:15:01_daily", local(2026, 4, 28, 0, 15, 1)],
    ["zfs-auto-snap_hourly-2026-04-28-0017", local(2026, 4, 28, 0, 17)],
    ["20260428T201703Z", Date.UTC(2026, 3, 28, 20, 17, 3)],
    ["@GMT-2026.04.28-20.17.03", undefined],
    ["daily.2026-04-28_2017", local(2026, 4, 28, 20, 17)],
    ["syncoid_nas_2026-04-28:20:17:03-GMT02:00", Date.UTC(2026, 3, 28)],
  ])("%s", (name, at) => {
    if (at !== undefined) expect(dateIn(name)).toBe(at);
    else expect(dateIn(name)).toBeDefined();
  });
  test.each([
    "daily.0",
    "before-upgrade",
    "9999999999",
    "2026-13-01",
    "v1.2.3",
    "20260428123456789",
  ])("there is none in %s", (name) => expect(dateIn(name)).toBeUndefined());
});

describe("the snapshot that is meant", () => {
  const snapshots: Snapshot[] = [
    { name: "auto_2026-04-29_00:15", at: local(2026, 4, 29, 0, 15), places: [] },
    { name: "auto_2026-04-28_12:00", at: local(2026, 4, 28, 12), places: [] },
    { name: "auto_2026-04-28_00:15", at: local(2026, 4, 28, 0, 15), places: [] },
    { name: "before-upgrade", at: local(2026, 4, 1), places: [] },
  ];
  test.each([
    ["before-upgrade", "before-upgrade"],
    ["auto_2026-04-28_00:15", "auto_2026-04-28_00:15"],
    ["2026-04-28", "auto_2026-04-28_12:00"],
    ["2026-04-28 11:59", "auto_2026-04-28_00:15"],
    ["2026-04-28T12:00", "auto_2026-04-28_12:00"],
    ["2026-04-27", "before-upgrade"],
    ["2026-03-31", undefined],
    ["auto", undefined],
    ["auto_2026-04-28", undefined],
  ])("by %s is %s", (wanted, name) => {
    expect(chooseSnapshot(wanted, snapshots)?.name).toBe(name);
  });
});

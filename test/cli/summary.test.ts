import { homedir } from "node:os";
import { describe, expect, test } from "vitest";
import { summary } from "../../cli/estate/summary.ts";
import { ago } from "../../cli/output/units.ts";

const NOW = Date.parse("2026-03-04T12:00:00Z");

describe("the summary", () => {
  test("tells what there is of every container", () => {
    const text = summary(
      {
        containers: {
          web: {
            state: "Running",
            ipv4: "10.77.1.9",
            image: "images:debian/12/cloud",
            profiles: ["default", "claude-share"],
            repo: `${homedir()}/src/web`,
            path: `${homedir()}/src/web`,
          },
          api: { state: "Stopped", ipv4: null, image: "busybox", profiles: [], repo: "/srv/a\nb" },
          new: {},
        },
        backups: {
          web: { lastSync: "2026-03-04T11:17:00Z", result: "ok" },
          api: { lastSync: "2026-03-01T12:00:00Z", result: "failed" },
        },
        orphans: ["old"],
      },
      undefined,
      NOW,
    );
    expect(text.split("\n")).toEqual([
      "NAME  STATE    ADDRESS    REPOSITORY  IMAGE                   PROFILES               BACKUP",
      "web   Running  10.77.1.9  ~/src/web   images:debian/12/cloud  default, claude-share  43 min ago",
      "api   Stopped  -          /srv/a\\nb   busybox                 -                      failed, 3 d ago",
      "new   -        -          -           -                       -                      -",
      "",
      "Not in the registry, left alone: old",
    ]);
  });

  test("of an empty estate says so", () => {
    expect(summary({ containers: {}, backups: {}, orphans: [] }, 80)).toMatch(
      /^No containers to tell of; `(bin\/)?repoman new` makes one\.$/,
    );
  });

  test.each([
    [-5_000, "just now"],
    [59_000, "just now"],
    [60_000, "1 min ago"],
    [119 * 60_000, "119 min ago"],
    [120 * 60_000, "2 h ago"],
    [48 * 3_600_000, "2 d ago"],
    [Number.NaN, ""],
  ])("calls %d ms %j", (elapsed, text) => {
    expect(ago(elapsed)).toBe(text);
  });
});

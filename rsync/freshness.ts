import { normalize } from "node:path";
import type { BackupSpec, Probe, RunRecord } from "./types.ts";

/** How far a clock may have been set back before a run "in the future" stops counting, in ms. */
const CLOCK_SLACK = 60_000;

/**
 * Whether the promise holds: the last good copy is younger than `maxAge`, the last run did not
 * fail, and the disk is the one that holds the copy.
 *
 * @param record the last run, if any is known
 * @param now ms since the epoch, or a Date
 * @param found what `probe` saw; without it only the record is judged
 */
export function freshness(
  record: RunRecord | undefined,
  spec: BackupSpec,
  now: number | Date,
  found?: Probe,
): { fresh: boolean; reason?: string } {
  const stale = (reason: string) => ({ fresh: false, reason });
  const last = record?.lastGood;
  if (!record) return stale("it was never copied");
  if (!samePath(record.source, spec.source) || !samePath(record.destination, spec.destination)) {
    return stale(`it was copied from ${record.source} to ${record.destination} before`);
  }
  if (!last) return stale(record.reason ?? "it was never copied completely");
  if (record.result !== "ok" && record.result !== "ok-vanished") {
    return stale(`the last run was ${record.result}: ${record.reason ?? "no reason was recorded"}`);
  }
  const age = Number(now) - Date.parse(last.at);
  if (Number.isNaN(age)) return stale("the record of the last run has no time");
  if (age < -CLOCK_SLACK) {
    return stale(`the last good copy is from the future (${last.at}): the clock was set back`);
  }
  if (age >= spec.maxAge * 1000) {
    return stale(
      `the last good copy is ${duration(age)} old, allowed are ${duration(spec.maxAge * 1000)}`,
    );
  }
  if (found && !found.ok) return stale(found.reason);
  if (found?.ok) {
    if (found.disk?.id !== last.disk.id) return stale("the copy is on another disk");
    if (found.mount.mountPoint !== last.destinationMount.mountPoint) {
      return stale(`the copy was on ${last.destinationMount.mountPoint}, which is not mounted`);
    }
    if (!found.copyExists) return stale(`the copy ${spec.destination} is not there`);
  }
  return { fresh: true };
}

function samePath(one: string, other: string): boolean {
  const plain = (path: string) => normalize(path).replace(/(.)\/+$/, "$1");
  return plain(one) === plain(other);
}

/** Such as `26 h` or `3 d`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

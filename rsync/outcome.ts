import { noCounts } from "./output.ts";
import type { Counts } from "./types.ts";

/** What one run of rsync came to. */
export interface RunOutcome {
  /** rsync's exit code; null when a signal ended it. */
  code: number | null;
  /** The folder to stand in could not be entered: rsync was not started. */
  noFolder: boolean;
  /** Ended by the abort signal. */
  aborted: boolean;
  /** Ended because nothing moved any more. */
  stalled: boolean;
  /** It did not end even when killed: a file system holds it. */
  stuck: boolean;
  counts: Counts;
  /** rsync's messages about single files, the first 20, without vanished ones. */
  failures: string[];
  /** `--max-delete` kept something from being deleted. */
  deletionsStopped: boolean;
  /** Files that went away while it ran: how many, and the first names as printed. */
  vanished: number;
  vanishedNames: string[];
  /** The last line that rsync says about its end. */
  lastError: string;
  /** Every message was about extended attributes or ACLs that the disk does not take. */
  unsupported: { acls: boolean; xattrs: string[]; other: boolean };
}

/** That of a run in which nothing has happened yet. */
export function newOutcome(): RunOutcome {
  return {
    code: null,
    noFolder: false,
    aborted: false,
    stalled: false,
    stuck: false,
    counts: noCounts(),
    failures: [],
    deletionsStopped: false,
    vanished: 0,
    vanishedNames: [],
    lastError: "",
    unsupported: { acls: false, xattrs: [], other: false },
  };
}

const KEPT_MESSAGES = 20;

/** Sorts one line of rsync's stderr. */
export function readMessage(line: string, outcome: RunOutcome): void {
  const vanished = /^(?:file|directory) has vanished: "(.*)"/.exec(line);
  if (vanished) {
    outcome.vanished += 1;
    if (outcome.vanishedNames.length < KEPT_MESSAGES) outcome.vanishedNames.push(vanished[1] ?? "");
    return;
  }
  if (/^rsync (error|warning): /.test(line)) {
    outcome.lastError = line;
    return;
  }
  if (line.startsWith("Deletions stopped due to --max-delete limit")) {
    outcome.deletionsStopped = true;
    return;
  }
  const refusedAttribute = /setxattr\(.*,"([a-z]+\.[^"]*)"\) failed: .* \(95\)$/.exec(line);
  const refusedAcl = /set_acl: \w+\(.*\): .* \(95\)$/.test(line);
  if (refusedAttribute) {
    const name = refusedAttribute[1] ?? "";
    if (!outcome.unsupported.xattrs.includes(name) && outcome.unsupported.xattrs.length < 100) {
      outcome.unsupported.xattrs.push(name);
    }
  } else if (refusedAcl) outcome.unsupported.acls = true;
  else outcome.unsupported.other = true;
  if (outcome.failures.length < KEPT_MESSAGES) outcome.failures.push(line.slice(0, 500));
}

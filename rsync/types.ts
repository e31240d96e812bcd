import type { MountFacts } from "../host/mountinfo.ts";

export type { MountFacts };

/** What one mirror is: a repository, the place of its copy, and the promises about both. */
export interface BackupSpec {
  /** The project's name; names the record, the lock and the scratch folder. */
  name: string;
  /** The repository: an absolute path on this host. */
  source: string;
  /** Where the copy lies: an absolute path strictly inside `backupRoot`. */
  destination: string;
  /** The top of the backup disk: an absolute path. Never created by a mirror. */
  backupRoot: string;
  /** How old the last good copy may be, in seconds. */
  maxAge: number;
  /** This host, as its marker on the disk names it. */
  hostId: string;
  /** The stack that owns the copies, as the marker names it. */
  stackId: string;
  /** `$XDG_STATE_HOME/repoman/backups`. The disks' identities are kept in `disks` beside it. */
  recordsDir: string;
  /** File system type that must be mounted over the destination, such as `nfs4`; overrides what was recorded. */
  expectedFstype?: string | undefined;
  /** Mount source that must be mounted over the destination, such as `nas:/tank/repos`. */
  expectedSource?: string | undefined;
  /** rsync exclude patterns of the registry. They do not reach into `.git`, unless they name it. */
  exclude?: string[] | undefined;
  /**
   * What to do with a `.repoman-exclude` in the repository: `use` it as plain exclude patterns
   * (the default), `ignore` it, or go by the text of it that was agreed with, whatever it says now;
   * bytes as latin1.
   */
  repositoryExclude?: "use" | "ignore" | { trusted: string } | undefined;
  /** Most files and directories that one run may delete on the copy; 1000 unless set. */
  maxDelete?: number | undefined;
  /** Most of the copy's files that one run may delete, in percent; 25 unless set. */
  maxDeletePercent?: number | undefined;
  /** Fewest files, in percent of the last good run's, that a source may have; 50 unless set. */
  minFilesPercent?: number | undefined;
  /** Fewest bytes, in percent of the last good run's, that a source may have; 10 unless set. */
  minBytesPercent?: number | undefined;
  /** How long the disk may take to answer (an automount, a sleeping disk), in ms; 20,000 unless set. */
  answerWithin?: number | undefined;
  /** How long a running rsync may make no progress at all before it is ended, in ms; 15 min unless set. */
  stallAfter?: number | undefined;
}

/**
 * How a run ended.
 * - `ok`: the copy is the source
 * - `ok-vanished`: so it is, but for files that went away while it ran
 * - `partial`: some files could not be copied, or not everything could be deleted
 * - `refused`: something looks wrong with disk or source; nothing was copied or deleted
 * - `unreachable`: the disk is not there or does not answer; nothing was copied or deleted
 * - `failed`: it broke off, or was interrupted, in the middle
 */
export type Result = "ok" | "ok-vanished" | "partial" | "refused" | "unreachable" | "failed";

/** Which disk: what is mounted there, and the marker on it. */
export interface DiskIdentity {
  /** The marker's random id. */
  id: string;
  /** Mount point of the topmost mount over the backup root. */
  mountPoint: string;
  fstype: string;
  /** Mount source, such as `nas:/tank/repos` or `/dev/sdb1`. */
  source: string;
}

/** What a run saw and did. Numbers of rsync's own statistics; directories count as files. */
export interface Counts {
  /** Files, directories, links and specials in the source. */
  files: number;
  /** Sum of the sizes of the source's regular files, in bytes. */
  bytes: number;
  /** Entries that the copy did not have. */
  created: number;
  /** Entries deleted on the copy. */
  deleted: number;
  /** Regular files whose content was copied. */
  copied: number;
  /** Their bytes. */
  copiedBytes: number;
}

export interface LastGood {
  /** When that run began, ISO 8601: everything older than this is on the copy. */
  at: string;
  files: number;
  bytes: number;
  disk: DiskIdentity;
  /** What was mounted over the copy and over the source. */
  destinationMount: MountFacts;
  sourceMount: MountFacts;
}

/** What happened in the last run of one repository, and which was the last good one. */
export interface RunRecord {
  schema: 1;
  name: string;
  source: string;
  destination: string;
  result: Result;
  /** One sentence; set unless the result is `ok`. */
  reason?: string;
  /** What to do about it. */
  remedy?: string;
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601. */
  endedAt: string;
  /** Duration by the monotonic clock, in seconds. */
  seconds: number;
  counts: Counts;
  /** The first messages of rsync about files that failed (at most 20). */
  failures: string[];
  /** Said in this run; what is said once per disk is not repeated by later runs. */
  warnings: string[];
  disk?: DiskIdentity;
  /** The last run whose result was `ok` or `ok-vanished`, this one included. */
  lastGood?: LastGood;
}

/** What is known of the backup disk and the copy without changing anything. */
export type Probe =
  | {
      ok: true;
      /** Absent on a disk that no run has claimed yet. */
      disk?: DiskIdentity;
      /** What is mounted over the copy. */
      mount: MountFacts;
      /** Whether the copy is there. */
      copyExists: boolean;
      warnings: string[];
    }
  | {
      ok: false;
      result: "refused" | "unreachable";
      /** One sentence without a full stop. */
      reason: string;
      remedy: string;
    };

export interface Progress {
  phase: "checking" | "comparing" | "copying" | "verifying";
  /** Bytes copied, or read, so far. */
  bytes: number;
  /** Bytes to copy, or to read, in all, where a comparison has told. */
  totalBytes?: number;
  /** Bytes a second, by rsync. */
  rate?: number;
}

export interface MirrorOptions {
  /** Ends rsync's whole process group and records the run as failed. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The way through the limits on deletions and the floors: as many as somebody has agreed with, or
   * whatever the comparison finds. An empty source is refused all the same.
   */
  allowDeletes?: boolean | number | undefined;
  /** Copies without deleting anything. */
  noDelete?: boolean | undefined;
  /**
   * Compares contents instead of sizes and times, which reads both sides whole: copies anew what
   * has rotted on the disk.
   */
  checksum?: boolean | undefined;
}

/** What a mirror run would do now. */
export type Pending =
  | {
      ok: true;
      /** Entries to create or update, directories included. */
      changes: number;
      /** Regular files whose content is to be copied. */
      files: number;
      bytes: number;
      deletions: number;
      /** The first names that would be deleted (at most 50), as rsync prints them. */
      deleting: string[];
      /** Why a run would refuse; absent when it would go through. */
      refused?: { reason: string; remedy: string };
      warnings: string[];
    }
  | { ok: false; result: "refused" | "unreachable" | "failed"; reason: string; remedy: string };

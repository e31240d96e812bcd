// RsyncBackup: the promise that a repository's copy on the backup disk is fresh.
//
//   create   mirrors at once
//   read     says of the last run whether the promise holds: `freshness`
//   update   mirrors again: it was overdue, failed, or its declaration changed; takes the record of
//            the runs along under a new name
//   delete   forgets; a copy is never deleted
//
// Files that changed since the last run are not drift, or no estate in use would ever be clean.

import type { Output } from "@pulumi/pulumi/output.js";
import type { CustomResourceOptions } from "@pulumi/pulumi/resource.js";
import { EXIT, Fault } from "../host/fault.js";
import { ANSWER_MS } from "../host/look.ts";
import { paths } from "../host/paths.js";
import {
  type BackupSpec,
  DECLARED,
  type DeclaredBackup,
  declarationIn,
  freshness,
  hostSpec,
  mirror,
  type Progress,
  pending,
  probe,
  type RunRecord,
  readRecord,
  renameRecord,
} from "../rsync/index.ts";
import { turnsAt } from "../rsync/turns.ts";
import { bytes as size } from "../rsync/units.ts";
import { changed } from "./compare.ts";
import { type Args, DynamicResource } from "./dynamic.ts";
import { guarded, type Identified, status, warn } from "./engine.ts";
import { stopping } from "./stopping.ts";
import { type Circumstances, failFor, leftAsItIs, type Troubled } from "./trouble.ts";

export interface BackupArgs extends Identified, DeclaredBackup {}

interface BackupCircumstances extends Circumstances {
  /** Whether a preview says what a mirror run would do now. */
  lookPending?: boolean;
}

interface BackupInputs extends BackupArgs {
  /** `fresh`, or why it is not. */
  freshness: string;
  /** What a mirror run would do now: only in a preview, and only where something is to be done. */
  pending?: string;
}

export interface BackupState extends BackupInputs {
  /** When the last good run began, ISO 8601; null before the first. */
  lastSync: string | null;
  /** The last run's result; null before the first. */
  result: string | null;
  /** Of the last good run. */
  files: number | null;
  /** Of the last good run. */
  bytes: number | null;
}

type Checked = Troubled<BackupInputs>;

const FRESH = "fresh";
const BACKUP_TYPE = "pulumi-nodejs:dynamic/repoman:RsyncBackup";

const JUDGED = [...DECLARED, "owner", "freshness", "pending"] as const;

function specOf(args: BackupArgs): BackupSpec {
  return hostSpec(args, args.owner.id);
}

export const handlers = guarded<Checked, BackupState>("backup", {
  async check(olds, news) {
    const { dryRun, fault, lookPending, ...wanted } = news as Checked & BackupCircumstances;
    const inputs = { ...wanted, freshness: FRESH };
    if (fault !== undefined) return leftAsItIs(olds, inputs, { dryRun, fault });
    // In an update it would become a state that the next refresh finds changed.
    const found = dryRun && lookPending ? await foresee(inputs) : undefined;
    return { inputs: { ...inputs, ...(found !== undefined && { pending: found }) } };
  },

  async diff(_id, olds, news) {
    if (news.fault !== undefined) return { changes: true };
    return { changes: changed(olds, news, JUDGED).length > 0 };
  },

  async create(inputs) {
    return { id: inputs.name, outs: await run(inputs) };
  },

  async read(id, state) {
    const record = await readRecord(paths().backupRecords, state.name);
    // Where the disk does not answer whoever only looks, the record alone is judged.
    const spec = { ...specOf(state), answerWithin: ANSWER_MS };
    const found = await probe(spec);
    // A disk that is away says nothing of the copy on it; the survey has said that it is away.
    const judged = freshness(record, spec, new Date(), found.ok ? found : undefined);
    const inputs = {
      ...declarationIn(state),
      owner: state.owner,
      freshness: judged.fresh ? FRESH : (judged.reason ?? "not fresh"),
    };
    return { id, inputs, props: { ...inputs, ...facts(record) } };
  },

  async update(_id, olds, news) {
    const recordsDir = paths().backupRecords;
    if (olds.name !== news.name) {
      await renameRecord(recordsDir, olds.name, news.name);
      // Another name alone is no reason to mirror.
      const record = await readRecord(recordsDir, news.name);
      const others = changed({ ...olds, name: news.name }, news, JUDGED);
      if (news.fault === undefined && record && others.length === 0) {
        return { outs: { ...news, ...facts(record) } };
      }
    }
    return { outs: await run(news) };
  },

  async delete() {
    // What was copied stays, and so does the record of it.
  },
});

async function run({ fault, ...inputs }: Checked): Promise<BackupState> {
  failFor(fault);
  const line = urnOf(inputs);
  // The engine starts what it can at once; so many runs would only wait for each other.
  const record = await turnsAt(inputs.backupRoot).take(
    () => mirror(specOf(inputs), { signal: stopping, onProgress: sayingOn(line) }),
    () => status(line, "waits for other copies"),
  );
  for (const warning of record.warnings) await warn(`backup "${inputs.name}": ${warning}`);
  if (record.result !== "ok" && record.result !== "ok-vanished") {
    throw new Fault(
      `backup "${inputs.name}": ${record.result}: ${record.reason ?? "rsync gave no reason"}`,
      {
        ...(record.remedy === undefined ? {} : { remedy: record.remedy }),
        exitCode: EXIT.failed,
      },
    );
  }
  return { ...inputs, ...facts(record) };
}

/** What a run would do now, in a few words; nothing where there is nothing to do. */
async function foresee(inputs: BackupInputs): Promise<string | undefined> {
  status(urnOf(inputs), "compares repository and copy");
  try {
    const found = await turnsAt(inputs.backupRoot).take(() =>
      pending(specOf(inputs), { signal: stopping }),
    );
    if (!found.ok) return `${found.result}: ${found.reason}`;
    const { changes, files, bytes, deletions, refused } = found;
    if (refused) return `refused: ${refused.reason}`;
    if (changes === 0 && deletions === 0) return undefined;
    return `${files} ${files === 1 ? "file" : "files"}, ${size(bytes)}, ${deletions} to delete`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.what;
  }
}

/** The resource's own URN, which handlers are not told; its types and parents are contract. */
function urnOf({ owner, name }: BackupArgs): string {
  const types = `repoman:index:Estate$repoman:index:Workspace$${BACKUP_TYPE}`;
  return `urn:pulumi:${owner.stack}::repoman::${types}::${name}`;
}

/** At most one message in this time: the engine passes each on to whoever looks. */
const SAY_MS = 250;

/** Says on the resource's line in Pulumi's display how far a run is. */
function sayingOn(urn: string): (progress: Progress) => void {
  let said = Number.NEGATIVE_INFINITY;
  let last = "";
  return ({ phase, bytes, totalBytes, rate }) => {
    if (phase === last && performance.now() - said < SAY_MS) return;
    said = performance.now();
    last = phase;
    const whole = totalBytes === undefined ? "" : ` of ${size(totalBytes)}`;
    const speed = rate ? `, ${size(rate)}/s` : "";
    status(urn, bytes > 0 ? `${phase} ${size(bytes)}${whole}${speed}` : phase);
  };
}

function facts(record: RunRecord | undefined) {
  return {
    lastSync: record?.lastGood?.at ?? null,
    result: record?.result ?? null,
    files: record?.lastGood?.files ?? null,
    bytes: record?.lastGood?.bytes ?? null,
  };
}

export class RsyncBackup extends DynamicResource {
  declare readonly lastSync: Output<string | null>;
  declare readonly result: Output<string | null>;
  declare readonly files: Output<number | null>;
  declare readonly bytes: Output<number | null>;

  constructor(
    name: string,
    args: Args<BackupArgs & BackupCircumstances>,
    opts: CustomResourceOptions,
  ) {
    super(
      "backup",
      "RsyncBackup",
      name,
      args,
      ["freshness", "lastSync", "result", "files", "bytes"],
      opts,
    );
  }
}

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
import { paths } from "../host/paths.js";
import {
  type BackupSpec,
  DECLARED,
  type DeclaredBackup,
  declarationIn,
  freshness,
  hostSpec,
  mirror,
  probe,
  type RunRecord,
  readRecord,
  renameRecord,
} from "../rsync/index.ts";
import { changed } from "./compare.ts";
import { type Args, DynamicResource } from "./dynamic.ts";
import { guarded, type Identified, warn } from "./engine.ts";
import { stopping } from "./stopping.ts";

export interface BackupArgs extends Identified, DeclaredBackup {}

interface BackupCircumstances {
  /** Whether this is a preview. */
  dryRun: boolean;
  /** Trouble with the disk or the repository: `up` fails for this backup alone. */
  fault?: string;
}

interface BackupInputs extends BackupArgs {
  /** `fresh`, or why it is not. */
  freshness: string;
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

type Checked = BackupInputs & { fault?: string };

const FRESH = "fresh";

const JUDGED = [...DECLARED, "owner", "freshness"] as const;

function specOf(args: BackupArgs): BackupSpec {
  return hostSpec(args, args.owner.id);
}

export const handlers = guarded<Checked, BackupState>("backup", {
  async check(olds, news) {
    const { dryRun, fault, ...wanted } = news as Checked & BackupCircumstances;
    const inputs = { ...wanted, freshness: FRESH };
    if (fault === undefined) return { inputs };
    const kept = olds.name === undefined ? inputs : (olds as BackupInputs);
    return { inputs: dryRun ? kept : { ...kept, fault } };
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
    const spec = specOf(state);
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
  if (fault !== undefined) throw new Fault(fault);
  const record = await mirror(specOf(inputs), { signal: stopping });
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

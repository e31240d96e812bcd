import { ask } from "../../host/child.ts";
import { paths } from "../../host/paths.js";
import type { Project } from "../../registry/types.ts";
import { duration } from "../../rsync/freshness.ts";
import {
  type DeclaredBackup,
  freshness,
  hostSpec,
  probeRoot,
  readRecord,
} from "../../rsync/index.ts";
import { declaredBackups } from "../backup.ts";
import type { Check, Finding, Patient } from "./check.ts";

/** How long the disk may take to answer: it may have to be mounted first, or to spin up. */
const ANSWER_MS = 10_000;
/** Below this share of free space, in percent, the next runs may fail. */
const LEAST_FREE = 5;

/** Mounted, the right one, writable in principle, and with room. */
export const disk: Check = {
  group: "backups",
  subject: "backup disk",
  limit: 2 * ANSWER_MS + 2_000,
  async look(patient) {
    const { registry, owner, env } = patient;
    const { backupRoot } = registry.defaults;
    const [first] = await declared(patient, registry.projects);
    if (!first || backupRoot === undefined) return [];
    const about = { group: "backups", subject: backupRoot } as const;
    const spec = { ...hostSpec(first, owner.id, env), answerWithin: ANSWER_MS };
    const found = await probeRoot(spec);
    if (!found.ok) return [{ ...about, state: "bad", what: found.reason, remedy: found.remedy }];
    const { fstype, mountPoint } = found.mount;
    const where = `${fstype} at ${mountPoint}`;
    const space = await freeSpace(backupRoot);
    if (!space) {
      return [{ ...about, state: "unknown", what: `${where}; its free space cannot be read` }];
    }
    const percent = Math.floor((space.free * 100) / space.size);
    const what = `${gibibytes(space.free)} of ${gibibytes(space.size)} free (${percent} %), ${where}`;
    if (percent < LEAST_FREE) {
      return [{ ...about, state: "bad", what, remedy: "Make room on it, or use a larger one." }];
    }
    return [{ ...about, state: "good", what }];
  },
};

/** The last copy of each: good, and not too old. */
export const copies: Check = {
  group: "backups",
  subject: "copies",
  limit: 5_000,
  async look(patient) {
    const { owner, env } = patient;
    const wanted = await declared(patient, patient.projects);
    return Promise.all(
      wanted.map(async (backup): Promise<Finding> => {
        const { name } = backup;
        const about = { group: "backups", subject: name } as const;
        const record = await readRecord(paths(env).backupRecords, name);
        const now = Date.now();
        const { fresh, reason } = freshness(record, hostSpec(backup, owner.id, env), now);
        const last = record?.lastGood;
        if (fresh && last) {
          const age = duration(now - Date.parse(last.at));
          const files = `${last.files} ${last.files === 1 ? "file" : "files"}`;
          return { ...about, state: "good", what: `copied ${age} ago, ${files}` };
        }
        return {
          ...about,
          state: "bad",
          what: reason ?? "is not fresh",
          remedy: record?.remedy ?? `Copy it now: repoman sync ${name}`,
        };
      }),
    );
  },
};

async function declared(
  { registry, env }: Pick<Patient, "registry" | "env">,
  projects: readonly Project[],
): Promise<DeclaredBackup[]> {
  const all = await declaredBackups(registry, env);
  return projects.flatMap(({ name, enabled }) => (enabled ? (all.get(name) ?? []) : []));
}

/** Bytes; in a child, since a file system may hang. */
async function freeSpace(folder: string): Promise<{ free: number; size: number } | undefined> {
  const argv = ["df", "--block-size=1", "--output=avail,size", "--", folder] as const;
  const { code, stdout } = await ask([...argv], { timeoutMs: ANSWER_MS });
  const [, free, size] = /\n\s*(\d+)\s+(\d+)\s*$/.exec(stdout.toString()) ?? [];
  return code === 0 && size ? { free: Number(free), size: Number(size) } : undefined;
}

function gibibytes(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib < 0.1 ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : `${gib.toFixed(1)} GiB`;
}

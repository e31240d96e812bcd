// Bringing the registry's file to today's schema. It is read in any case: this is for people who
// want to see in the file what is in force.

import { EXIT, Fault } from "../../host/fault.js";
import { readRegistryText } from "../../registry/registry-text.ts";
import { printable } from "../../registry/text.ts";
import { journal } from "../journal.ts";
import { consent } from "../output/ask.ts";
import { renderDiff } from "../output/diff.ts";
import { note } from "../output/say.ts";
import { withOldKept } from "./keep-old.ts";
import { findRegistry, type Place } from "./place.ts";

export interface Migration {
  file: string;
  /** The schema before, and after. */
  from: number;
  to: number;
  changed: boolean;
  /** The copy of the old file. */
  backup?: string;
}

/**
 * Shows what changes, asks, keeps the old file beside the new one, and writes.
 *
 * @throws RegistryMissing
 * @throws Fault (usage) where nobody can be asked, (failed) where the user says no
 */
export async function migrateRegistry(
  { setting, file }: Place,
  yes: boolean | undefined,
): Promise<Migration> {
  const text = await readRegistryText(file);
  const [{ migrateText }, { editRegistry }, { readRegistry }] = await Promise.all([
    import("../../registry/edit/edits.ts"),
    import("../../registry/edit/file.ts"),
    import("../../registry/load.ts"),
  ]);
  const { env } = setting;
  const { registry } = await readRegistry({ file, text, env });
  const after = migrateText(text);
  const from = registry.schema;
  if (after === text) {
    if (from !== 3) {
      throw new Fault(`${printable(file)} is of schema ${from}, which this repoman does not know`, {
        remedy: "A newer file needs a newer repoman.",
      });
    }
    return { file, from, to: from, changed: false };
  }
  process.stderr.write(renderDiff(text, after));
  const agreed = await consent(`Bring ${printable(file)} from schema ${from} to 3?`, {
    yes,
    would: "changes the registry",
  });
  if (!agreed) {
    throw new Fault("the registry stays as it is", {
      remedy: "It is read as schema 3 all the same; run again to have it written so.",
    });
  }
  const write = () => editRegistry(file, migrateText, { env, seen: text });
  const backup = await withOldKept(file, `schema-${from}`, write);
  note(`Migrated ${printable(file)} from schema ${from} to 3.`);
  return { file, from, to: 3, changed: true, backup };
}

/** `repoman config migrate`, and `repoman migrate`. @throws Fault as `migrateRegistry` */
export async function migrate({
  stack,
  yes,
  json,
}: {
  stack?: string;
  yes?: boolean;
  json?: boolean;
}): Promise<void> {
  const began = performance.now();
  const place = await findRegistry(stack);
  const done = await migrateRegistry(place, yes);
  if (json) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  if (!done.changed) {
    note(`${printable(done.file)} is of schema ${done.to}: there is nothing to migrate.`);
    return;
  }
  const details = { from: done.from, to: done.to, backup: done.backup ?? "" };
  await journal(place.setting, {
    command: "config migrate",
    result: "ok",
    exitCode: EXIT.ok,
    began,
    details,
  });
}

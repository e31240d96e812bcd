import { EXIT, Fault } from "../../host/fault.js";
import type { Registry } from "../../registry/types.ts";
import {
  carriedOut,
  type Renaming,
  readRenames,
  renamesFile,
  writeRenames,
} from "../../survey/renames.ts";
import { WORKSPACE } from "../pulumi/backend.ts";
import type { Setting } from "../setting.ts";

/** Those whose end nobody has seen. The others are forgotten here: the stack's state knows them. */
export async function openRenamings(setting: Setting): Promise<Renaming[]> {
  const file = renamesFile(setting.stack, setting.env);
  const noted = await readRenames(file);
  if (noted.length === 0) return [];
  const deployment = await setting.backend?.deployment(setting.project, setting.stack);
  // Another backend's state would have to be fetched: what is noted is kept, which harms nothing.
  if (!deployment) return setting.backend ? [] : noted;
  const known = new Set(
    (deployment.resources ?? [])
      .filter(({ urn }) => urn.includes(WORKSPACE))
      .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2)),
  );
  const open = noted.filter(({ from }) => known.has(from));
  if (open.length < noted.length) await writeRenames(file, open);
  return open;
}

/**
 * @throws Fault (conflict) where a renaming that the registry has carried out, and the state not
 *   yet, has to do with one of the names
 */
export async function requireNotRenaming(
  setting: Setting,
  registry: Registry,
  names: readonly string[],
): Promise<void> {
  const done = carriedOut(await openRenamings(setting), registry);
  const open = [...done].map(([to, from]) => ({ from, to }));
  const hit = open.find(({ from, to }) => names.includes(from) || names.includes(to));
  if (!hit) return;
  throw new Fault(`the project "${hit.from}" is being renamed to "${hit.to}"`, {
    remedy: `Finish that first: repoman rename ${hit.from} ${hit.to}`,
    exitCode: EXIT.conflict,
  });
}

export async function noteRenaming(setting: Setting, renaming: Renaming): Promise<void> {
  const file = renamesFile(setting.stack, setting.env);
  const others = (await readRenames(file)).filter(
    ({ from, to }) => from !== renaming.from || to !== renaming.to,
  );
  await writeRenames(file, [...others, renaming]);
}

export async function forgetRenaming(setting: Setting, { from, to }: Renaming): Promise<void> {
  const file = renamesFile(setting.stack, setting.env);
  const noted = await readRenames(file);
  await writeRenames(
    file,
    noted.filter((each) => each.from !== from || each.to !== to),
  );
}

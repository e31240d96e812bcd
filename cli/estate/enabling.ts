import { EXIT, Fault } from "../../host/fault.js";
import { type Context, readContext } from "../context.ts";
import { overridden, overrideFile } from "../registry/overrides.ts";
import { chooseProject } from "./choose.ts";
import { requireNotRenaming } from "./renamings.ts";

/**
 * Says in the registry whether a project is brought up. Enabling takes the key away that disabling
 * has set, so that the file is as it was.
 *
 * @returns whether the file was changed
 * @throws Fault (conflict) where an override says otherwise, which would have the last word
 */
export async function setEnabled(
  named: string | undefined,
  enabled: boolean,
  stack: string | undefined,
): Promise<{ context: Context; name: string; changed: boolean }> {
  const context = await readContext({ stack });
  const { registry, file, setting } = context;
  const question = `${enabled ? "Enable" : "Disable"} which project?`;
  const name = await chooseProject(context, named, question);
  await requireNotRenaming(setting, registry, [name]);
  const override = await overridden(file, name, "enabled");
  if (override !== undefined && override !== enabled) {
    throw new Fault(`${overrideFile(file, name)} says enabled = ${override}, which counts`, {
      remedy: `Remove \`enabled\` there, then run again.`,
      exitCode: EXIT.conflict,
    });
  }
  const project = registry.projects.find((each) => each.name === name);
  if (project?.enabled === enabled) return { context, name, changed: false };
  const [{ editRegistry }, { setProject }] = await Promise.all([
    import("../../registry/edit/file.ts"),
    import("../../registry/edit/edits.ts"),
  ]);
  const values = { enabled: enabled ? undefined : false };
  const { changed } = await editRegistry(file, setProject(name, values), { env: setting.env });
  return { context, name, changed };
}

// The order of things in an adoption: choose, plan, show, ask, carry out.

import { EXIT, exitCodeOf, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import type { Instance } from "../../../incus/types.ts";
import { printable } from "../../../registry/text.ts";
import type { Candidate } from "../../../survey/adoption.ts";
import type { Context } from "../../context.ts";
import { ask, canAsk, consent } from "../../output/ask.ts";
import { note, warn } from "../../output/say.ts";
import type { Adoption, Into } from "./plan.ts";

/** What is to be adopted, and how. */
export interface Wanted {
  fromProject?: string;
  all?: boolean;
  repo?: string;
  image?: string;
  yes?: boolean;
}

/** What became of one, as `--json` prints it. */
interface Line {
  name: string;
  result: "adopted" | "already" | "refused";
  reason?: string;
}

/**
 * Plans, shows, asks and adopts.
 *
 * @param client stays open
 * @throws Fault that says why it cannot be adopted as it is
 */
export async function adoptWith(
  context: Context,
  client: IncusClient,
  name: string | undefined,
  options: Wanted,
): Promise<{ lines: Line[]; exitCode: number }> {
  const { ALL_PROJECTS } = await import("../../../incus/instances.ts");
  const { readFile } = await import("node:fs/promises");
  const { planAdoption } = await import("./plan.ts");
  const { requireOwnProject } = await import("./requirements.ts");
  const owner = { id: context.config.stackId ?? "", stack: context.setting.stack };
  const { incusProject } = context.registry.defaults;
  await requireOwnProject(client, incusProject, owner);
  const instances = await client.getInstances(ALL_PROJECTS, 1);
  const wanted = await choose(context, instances, name, options, owner.id);

  const lines: Line[] = [];
  const adoptions: Adoption[] = [];
  let exitCode: number = EXIT.ok;
  const into: Into = { context, client, owner, text: await readFile(context.file, "utf8") };
  const { addProject } = await import("../../../registry/edit/edits.ts");
  for (const instance of wanted) {
    try {
      const adoption = await planAdoption(instance, into, {
        ...(options.all ? {} : { repo: options.repo, image: options.image }),
        choose: canAsk() && !options.yes && !options.all ? chooseRepository(instance) : undefined,
      });
      if (!adoption) {
        lines.push({ name: instance.name, result: "already" });
        note(`${instance.name} is in the estate already.`);
        continue;
      }
      if (adoption.entry) into.text = addProject(adoption.entry)(into.text);
      adoptions.push(adoption);
    } catch (error) {
      if (!options.all || !(error instanceof Fault)) throw error;
      exitCode = Math.max(exitCode, exitCodeOf(error));
      lines.push({ name: instance.name, result: "refused", reason: error.what });
      warn(`${instance.name} is left as it is: ${error.message}`);
    }
  }
  if (adoptions.length === 0) return { lines, exitCode };

  const { showAdoptions } = await import("./show.ts");
  process.stderr.write(showAdoptions(adoptions, incusProject));
  const names = adoptions.map(({ instance }) => instance.name).join(", ");
  const moving = adoptions.filter(({ moves }) => moves).map(({ instance }) => instance.name);
  const stops =
    moving.length > 0 ? ` ${moving.join(", ")} is stopped for it, and started again.` : "";
  const agreed = await consent(`Adopt ${names}?${stops}`, {
    yes: options.yes,
    would:
      moving.length > 0 ? `stops and moves ${moving.join(", ")}` : `adds ${names} to the registry`,
  });
  if (!agreed) {
    note("Nothing was changed.");
    return { lines, exitCode: EXIT.failed };
  }
  return perform(context, client, adoptions, lines, exitCode);
}

async function perform(
  context: Context,
  client: IncusClient,
  planned: readonly Adoption[],
  lines: Line[],
  soFar: number,
): Promise<{ lines: Line[]; exitCode: number }> {
  const [{ carryOut, provideEstate }, { ensureStack }] = await Promise.all([
    import("./carry-out.ts"),
    import("../../pulumi/stack.ts"),
  ]);
  const { stackId } = await ensureStack(context.setting);
  // A stack that is made only now has an id only now.
  const owner = { id: stackId, stack: context.setting.stack };
  const adoptions = planned.map((each) => ({ ...each, inputs: { ...each.inputs, owner } }));
  await provideEstate(context);
  const { adopted, failed } = await carryOut(context, client, adoptions);
  let exitCode = soFar;
  for (const [name, error] of failed) {
    const { reportError } = await import("../../output/say.ts");
    exitCode = Math.max(exitCode, reportError(error));
    const reason = error instanceof Error ? error.message : String(error);
    lines.push({ name, result: "refused", reason });
  }
  for (const name of adopted) lines.push({ name, result: "adopted" });
  if (adopted.length > 0) note(`Adopted ${adopted.join(", ")}: nothing inside was changed.`);
  return { lines, exitCode };
}

/** The instances that are meant. */
async function choose(
  { registry }: Context,
  instances: readonly Instance[],
  name: string | undefined,
  { fromProject, all }: Wanted,
  stackId: string,
): Promise<Instance[]> {
  const [{ findInstance }, { repositoryCandidates }, { isOwn, MARK }] = await Promise.all([
    import("./find.ts"),
    import("../../../survey/adoption.ts"),
    import("../../../providers/ownership.ts"),
  ]);
  const { incusProject, reposRoot } = registry.defaults;
  if (name !== undefined) return [findInstance(name, { instances, registry, fromProject })];
  const declared = new Set(registry.projects.map((project) => project.name));
  const unfinished = ({ config, project }: Instance) =>
    !isOwn(config, { id: stackId }) ||
    config[MARK.adopting] !== undefined ||
    project !== incusProject;
  const strange = (project: string) => (each: Instance) =>
    each.project === project &&
    unfinished(each) &&
    (!declared.has(each.name) || isOwn(each.config, { id: stackId }));
  const places = [incusProject, ...(fromProject === undefined ? [] : [fromProject])];
  const offered = [...new Set(places)]
    .flatMap((project) => instances.filter(strange(project)))
    .filter((each) => {
      if (repositoryCandidates(each, reposRoot).length > 0) return true;
      note(
        `${printable(each.name)} has no repository below ${printable(reposRoot)}, and is left as it is.`,
      );
      return false;
    });
  if (offered.length === 0) {
    note(`There is nothing to adopt in the Incus project ${places.join(" or ")}.`);
    return [];
  }
  if (all) return offered;
  if (!canAsk()) {
    throw new Fault("adopt needs to be told which instance", {
      remedy: `There are: ${offered.map((each) => each.name).join(", ")}. Or all of them: --all.`,
      exitCode: EXIT.usage,
    });
  }
  const chosen = await ask<string[]>(({ multiselect }, io) =>
    multiselect({
      message: "Which of them?",
      options: offered.map((each) => ({
        value: each.name,
        label: printable(each.name),
        hint: `${each.status}, in project ${each.project}`,
      })),
      required: true,
      ...io,
    }),
  );
  return offered.filter((each) => chosen.includes(each.name));
}

function chooseRepository({ name }: Instance) {
  return async (candidates: readonly Candidate[]): Promise<Candidate> => {
    const device = await ask<string>(({ select }, io) =>
      select({
        message: `Which directory of ${name} is its repository?`,
        options: candidates.map((each) => ({
          value: each.device,
          label: printable(each.repo),
          hint: `at ${printable(each.path)}`,
        })),
        ...io,
      }),
    );
    const found = candidates.find((each) => each.device === device);
    if (!found) throw new Error(`${device} was not offered`);
    return found;
  };
}

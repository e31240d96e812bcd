import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import type { IncusClient } from "../../incus/client.ts";
import { printable } from "../../registry/text.ts";
import type { Context } from "../context.ts";
import { addExamples, stackOption } from "../definition.ts";
import type { Case, Choice, Way } from "../estate/repair.ts";
import { ask, canAsk, markChanged } from "../output/ask.ts";
import { colorsFor, note } from "../output/say.ts";

interface Options {
  stack?: string;
  json?: boolean;
}

type Answer = Choice | "leave";

export function define(command: Command): void {
  command
    .description(
      "Goes through what is not as the registry says, and asks what to do about each: recreate, adopt, " +
        "forget or destroy. Nothing is changed without an answer. Without a terminal it prints what " +
        "there is and the commands, and exits 1.",
    )
    .argument("[name]", "only this project or instance")
    .addOption(stackOption())
    .option("--json", "what there is to repair, as JSON; asks nothing")
    .action(repair);
  addExamples(command, [
    ["repoman repair", "see each, and say what to do"],
    ["repoman repair web", "only this one"],
    ["repoman repair --json", "for a program; exits 1 when there is something"],
  ]);
}

async function repair(name: string | undefined, options: Options): Promise<void> {
  const { readContext, connectTo } = await import("../context.ts");
  const context = await readContext(options);
  const client = await connectTo(context);
  try {
    const cases = await find(context, client, name);
    if (options.json) process.stdout.write(`${JSON.stringify(cases, null, 2)}\n`);
    else if (cases.length === 0) note("Nothing needs to be repaired.");
    else if (!canAsk()) process.stdout.write(describe(cases));
    else {
      process.exitCode = await mend(context, client, cases);
      return;
    }
    process.exitCode = cases.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    client.close();
  }
}

async function find(
  context: Context,
  client: IncusClient,
  name: string | undefined,
): Promise<Case[]> {
  const [{ lookAtEstate }, { casesOf }, { requireNames }] = await Promise.all([
    import("../estate/live.ts"),
    import("../estate/repair.ts"),
    import("../preflight.ts"),
  ]);
  const live = await lookAtEstate(context, { client });
  if (live.unreachable) throw live.unreachable;
  const { incusProject, reposRoot } = context.registry.defaults;
  const cases = casesOf(live, { incusProject, reposRoot }).map((each) => ({
    ...each,
    what: inOwnWords(each.what),
    ways: each.ways.map((way) => ({ ...way, command: inOwnWords(way.command) })),
  }));
  if (name === undefined) return cases;
  const known = [
    ...context.registry.projects.map((project) => project.name),
    ...live.orphans.map(({ instance }) => instance.name),
  ];
  requireNames([name], known, context.file);
  return cases.filter((each) => each.name === name);
}

function describe(cases: readonly Case[]): string {
  const { bold } = colorsFor(process.stdout);
  return cases
    .map(({ name, what, ways }) => {
      const lines = ways.map(({ choice, does, command }) => {
        return `  ${choice.padEnd(8)}  ${safe(does)}\n            ${printable(command)}\n`;
      });
      return `${bold(printable(name))} ${safe(what)}\n${lines.join("")}`;
    })
    .join("");
}

/** Each line of a text that may hold names from a server. */
function safe(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Asks of each, and does what is answered. */
async function mend(
  context: Context,
  client: IncusClient,
  cases: readonly Case[],
): Promise<number> {
  let left = 0;
  for (const each of cases) {
    const { bold } = colorsFor(process.stderr);
    note(`${bold(printable(each.name))} ${safe(each.what)}`);
    const answer = each.ways.length === 0 ? "leave" : await choose(each.name, each.ways);
    if (answer === "leave") left++;
    else {
      const repaired = await perform(context, client, each, answer);
      if (!repaired) left++;
      // One that failed may have done some of it.
      markChanged();
    }
  }
  return left === 0 ? EXIT.ok : EXIT.failed;
}

async function choose(name: string, ways: readonly Way[]): Promise<Answer> {
  return ask<Answer>(({ select }, io) =>
    select<Answer>({
      message: `What is to become of ${printable(name)}?`,
      options: [
        { value: "leave", label: "leave it as it is" },
        ...ways.map(({ choice, does }) => ({
          value: choice,
          label: choice,
          hint: printable(does),
        })),
      ],
      ...io,
    }),
  );
}

/** @returns whether it is repaired */
async function perform(
  context: Context,
  client: IncusClient,
  { name, ways }: Case,
  choice: Choice,
): Promise<boolean> {
  const { setting } = context;
  const began = performance.now();
  switch (choice) {
    case "recreate":
    case "apply": {
      const { operate } = await import("../pulumi/operate.ts");
      // The choice was the consent; where something is lost, the plan is shown and asked about.
      const agreed = ways.some((way) => way.choice === choice && !way.loses);
      const flags = agreed ? ["--skip-preview"] : [];
      const { stack } = setting;
      const { exitCode } = await operate({
        operation: "up",
        names: [name],
        flags,
        stack,
        yes: agreed,
      });
      return exitCode === EXIT.ok;
    }
    case "forget": {
      const { planRemoval, remove } = await import("../estate/removal.ts");
      await remove(await planRemoval(name, setting.stack));
      break;
    }
    case "adopt": {
      const { adoptWith } = await import("../estate/adopt/adopt-with.ts");
      const { lines } = await adoptWith(context, client, name, {});
      if (!lines.some(({ result }) => result === "adopted")) return false;
      break;
    }
    case "destroy":
      if (!(await destroyed(context, client, name))) return false;
  }
  const { journal } = await import("../journal.ts");
  const command = `repair: ${choice}`;
  await journal(setting, { command, names: [name], result: "ok", exitCode: EXIT.ok, began });
  return true;
}

/** Deletes an orphan whose name was typed. */
async function destroyed(
  { registry, config }: Context,
  client: IncusClient,
  name: string,
): Promise<boolean> {
  const { incusProject } = registry.defaults;
  const { value: seen } = await client.getInstance(incusProject, name);
  const typed = await ask<string>(({ text }, io) =>
    text({
      message: `It is deleted with all that is only inside it. Type ${name} to do so:`,
      defaultValue: "",
      ...io,
    }),
  );
  if (typed.trim() !== name) {
    note(`That is not its name: ${name} is left as it is.`);
    return false;
  }
  const [{ isOwn, MARK }, { remove }] = await Promise.all([
    import("../../providers/ownership.ts"),
    import("../../providers/container/create.ts"),
  ]);
  const { value: now } = await client.getInstance(incusProject, name);
  const isOthers =
    now.config[MARK.stack] !== undefined && !isOwn(now.config, { id: config.stackId ?? "" });
  if (now.config["volatile.uuid"] !== seen.config["volatile.uuid"] || isOthers) {
    throw new Fault(`the instance "${name}" is another one by now`, {
      remedy: "Run again, and look at it.",
      exitCode: EXIT.conflict,
    });
  }
  await remove(client, now);
  note(`Deleted ${name}.`);
  return true;
}

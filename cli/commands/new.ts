import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import type { Context } from "../context.ts";
import { addExamples, listOption, stackOption, yesOption } from "../definition.ts";
import type { Creation } from "../estate/creation.ts";
import type { Wish } from "../estate/entry.ts";
import type { Origin } from "../estate/repository.ts";
import { ask, canAsk, consent, declined } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";

interface Options extends Origin {
  repo?: string;
  image?: string;
  profile?: string[];
  mount?: string[];
  env?: string[];
  backup: boolean;
  up: boolean;
  yes?: boolean;
  fromScan?: boolean;
  stack?: string;
}

export function define(command: Command): void {
  command
    .description(
      "Makes a container for a repository: checks first, shows what would be made, then writes the " +
        "entry into the registry and brings up that project alone. Without a name, and on a " +
        "terminal, it asks for everything.",
    )
    .argument("[name]", "name of the container and of the project")
    .option(
      "--repo <dir>",
      "the repository, relative to repos_root, or from here with ./ (default: the name)",
    )
    .option("--create", "make the repository with git where it is not there")
    .option("--clone <url>", "clone the repository with git where it is not there")
    .option("--image <image>", "as the incus client takes it (default: default_image)")
    .addOption(
      listOption(
        "--profile <name>",
        "a profile, once for each, in order (default: those of [defaults])",
      ),
    )
    .addOption(
      listOption(
        "--mount <src:dst[:ro]>",
        "a further file or directory of this host, once for each",
      ),
    )
    .addOption(listOption("--env <K=V>", "an environment variable, once for each; not for secrets"))
    .option("--no-backup", "without a mirror on the backup disk")
    .option("--no-up", "only write it into the registry; the next `up` makes it")
    .option("--from-scan", "all directories of repos_root that have no container yet")
    .addOption(stackOption())
    .addOption(yesOption())
    .action(act);
  addExamples(command, [
    ["repoman new", "asks for everything"],
    ["repoman new web", "for ~/repos/web, with the defaults"],
    ["repoman new api --repo work/api --profile default --profile claude-share", "with a profile"],
    ["repoman new tool --clone https://example.org/tool.git --yes", "fetched, and nothing asked"],
    ["repoman new --from-scan", "for every repository that has no container"],
  ]);
}

async function act(name: string | undefined, options: Options): Promise<void> {
  const { readContext } = await import("../context.ts");
  const context = await readContext({ stack: options.stack });
  const wishes = await wishesOf(name, options, context);
  if (wishes.length === 0) {
    note(`Every directory of ${context.registry.defaults.reposRoot} has its container.`);
    return;
  }
  const { enter, planCreation } = await import("../estate/creation.ts");
  const creation = await planCreation(context, wishes);
  const { describeCreation } = await import("../estate/creation-text.ts");
  note(describeCreation(creation, options.up));
  await sayTroubles(creation);
  const names = creation.newcomers.map(({ project }) => project.name);
  const what = names.length === 1 ? `the container "${names[0]}"` : `${names.length} containers`;
  // An entry alone changes nothing on the host.
  const yes = options.yes || !options.up;
  if (!(await consent(`Make ${what}?`, { yes, would: `makes ${what}`, initial: true }))) {
    declined();
    return;
  }
  await enter(creation);
  const exitCode = options.up ? await up(context, names) : EXIT.ok;
  process.exitCode = exitCode;
  const { journal, resultOf } = await import("../journal.ts");
  const result = resultOf(exitCode);
  await journal(context.setting, { command: "new", names, result, exitCode });
  if (exitCode === EXIT.ok) process.stdout.write(`${inOwnWords(lastWords(names, options.up))}\n`);
}

function lastWords(names: readonly string[], up: boolean): string {
  const all = names.join(", ");
  if (!up) return `Entered ${all}. Make it so: repoman up ${names.join(" ")}`;
  return `Made ${all}. Work in it: repoman shell ${names[0]}`;
}

/** The entry stays where `up` fails: what is wrong is mended, and `up` goes on. */
async function up({ setting, file }: Context, names: readonly string[]): Promise<number> {
  const { bringUp } = await import("../estate/bring-up.ts");
  const exitCode = await bringUp(names, setting.stack);
  if (exitCode !== EXIT.ok) {
    note(`Or take it back: repoman remove ${names[0]} (the entry is in ${file}).`);
  }
  return exitCode;
}

/** @throws Fault where the one that was asked for cannot come up */
async function sayTroubles({ newcomers }: Creation): Promise<void> {
  const { troublesOf } = await import("../estate/creation-text.ts");
  for (const newcomer of newcomers) {
    for (const trouble of troublesOf(newcomer)) warn(trouble);
    const { fault } = newcomer.facts;
    if (fault === undefined) continue;
    const [what = "", ...remedy] = fault.split("\n");
    throw new Fault(what, {
      remedy: remedy.map((line) => line.trim()).join("\n"),
      exitCode: EXIT.conflict,
    });
  }
}

async function wishesOf(
  name: string | undefined,
  options: Options,
  context: Context,
): Promise<(Wish & Origin)[]> {
  const {
    profile = [],
    mount = [],
    env = [],
    backup,
    repo,
    image,
    create,
    clone,
    fromScan,
  } = options;
  if (create && clone !== undefined)
    throw usage("--create and --clone exclude each other", "Give one of them.");
  const common = {
    image,
    profiles: profile,
    mounts: mount,
    env,
    ...(backup ? {} : { backup }),
  };
  if (fromScan) {
    if (name !== undefined || repo !== undefined || create || clone !== undefined) {
      throw usage("--from-scan names no project of its own", "Leave the name and --repo away.");
    }
    return (await scanned(options, context)).map((each) => ({ ...each, ...common }));
  }
  if (name !== undefined) return [{ name, repo, create, clone, ...common }];
  const given = repo ?? image ?? clone ?? create ?? [...profile, ...mount, ...env][0];
  if (!canAsk() || options.yes || given !== undefined) {
    throw usage(
      "this needs to be told a name",
      "Such as: repoman new web. Without any arguments, and on a terminal, it asks.",
    );
  }
  const { newForm } = await import("../estate/new-form.ts");
  return [await newForm(context)];
}

const usage = (what: string, remedy: string) => new Fault(what, { remedy, exitCode: EXIT.usage });

async function scanned({ yes, up }: Options, { registry }: Context) {
  const { scan } = await import("../estate/scan.ts");
  const found = await scan(registry.defaults.reposRoot, registry.projects);
  if (found.length === 0 || yes || !up || !canAsk()) return found;
  const chosen = await ask<string[]>(({ multiselect }, io) =>
    multiselect<string>({
      message: "Which get a container?",
      options: found.map(({ repo, name }) => ({
        value: repo,
        label: repo,
        ...(repo === name ? {} : { hint: `as ${name}` }),
      })),
      initialValues: found.map(({ repo }) => repo),
      required: true,
      maxItems: 15,
      ...io,
    }),
  );
  return found.filter(({ repo }) => chosen.includes(repo));
}

import { Command, CommanderError } from "commander";
import { EXIT, Fault } from "../host/fault.js";
import { reachAnew } from "../host/reach.js";
import { nearest } from "../registry/text.ts";
import { catalogue, type Entry } from "./catalogue.ts";
import { addExamples, keepVerbatim, stackToFind } from "./definition.ts";

/** The overview: all commands by name and summary, none of their definitions loaded. */
export function overview(version: string): Command {
  const program = bare("repoman")
    .description(
      "One isolated Incus container per repository, and a mirror of each, from one registry",
    )
    .usage("<command> [options]")
    .version(version, "--version", "show the version")
    .helpOption("-h, --help", "show this help, or with a command its own");
  for (const entry of catalogue)
    program.addCommand(shell(entry), { hidden: entry.hidden ?? false });
  addExamples(program, [
    ["repoman preview --diff", "every difference between registry and host, by property"],
    ["repoman up", "make it so"],
    ['eval "$(repoman env)"', "and then plain `pulumi` commands"],
  ]);
  return program;
}

/** The whole definition of one command, ready to be parsed. */
export async function definition(entry: Entry): Promise<Command> {
  const command = shell(entry);
  const { define } = await entry.load();
  define(command);
  // Usage lines show the parent's name.
  bare("repoman").addCommand(command);
  return command;
}

/** @throws Fault (usage) that names the nearest command */
export function findEntry(name: string): Entry {
  const entry = catalogue.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const near = nearest(
    name,
    catalogue.filter(({ hidden }) => !hidden).map((candidate) => candidate.name),
  );
  throw new Fault(`repoman has no command "${name}"`, {
    remedy: `${near ? `Did you mean "repoman ${near}"? ` : ""}"repoman --help" lists all.`,
    exitCode: EXIT.usage,
  });
}

/** Looks at the stack that was named, before the action of a command begins. */
async function findStack(acting: Command): Promise<void> {
  reachAnew(acting.opts<{ stack?: string }>().stack);
  const stack = stackToFind(acting);
  if (stack === undefined) return;
  const [{ findSetting }, { requireStack }] = await Promise.all([
    import("./setting.ts"),
    import("./pulumi/known-stack.ts"),
  ]);
  await requireStack(findSetting({ stack }));
}

/**
 * Runs a command, whose action sets `process.exitCode`.
 *
 * @param before what comes between the arguments, when they are found good, and the action
 * @throws Fault (usage) for what commander refuses
 */
export async function run(
  command: Command,
  args: readonly string[],
  before: (acting: Command) => Promise<void> = findStack,
): Promise<void> {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  keepVerbatim(command, dashes < 0 ? [] : args.slice(dashes + 1));
  reachAnew(undefined);
  command.hook("preAction", (_, acting) => before(acting));
  try {
    await command.parseAsync(own, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === "commander.help") {
      const names = command.commands.map((each) => each.name());
      throw new Fault(`"${fullName(command)}" needs to be told what: ${names.join(", ")}`, {
        remedy: `"${fullName(command)} --help" explains them.`,
        exitCode: EXIT.usage,
      });
    }
    const gone = /unknown option '(--[\w-]+)/.exec(error.message)?.[1] ?? "";
    if (Object.hasOwn(GONE, gone)) {
      const remedy = GONE[gone];
      throw new Fault(`${gone} is gone since 0.5.0`, { remedy, exitCode: EXIT.usage });
    }
    // Commander writes "error: unknown option '--dif'\n(Did you mean --diff?)".
    const [what = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
    const remedy = [
      ...hints.map((hint) => hint.replace(/^\((.*)\)$/, "$1")),
      `"${fullName(command)} --help" shows what it takes.`,
    ];
    throw new Fault(what, { remedy: remedy.join(" "), exitCode: EXIT.usage });
  }
}

const LLM =
  "A profile took its place: `repoman profile install llm-share`, then name it in `profiles`.";

const HERMES =
  "Nothing took its place: ~/.local/share/repoman/hermes is neither filled nor deleted by repoman.";

/** Options of versions before this form of repoman, and what took their place. */
const GONE: Readonly<Record<string, string>> = {
  "--with-llm": LLM,
  "--without-llm": LLM,
  "--hermes": HERMES,
  "--no-hermes": HERMES,
  "--purge-hermes": HERMES,
  "--keep-repo": "It is always so: `repoman remove` never touches a repository.",
};

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

function shell(entry: Entry): Command {
  return bare(entry.name).summary(entry.summary).helpGroup(`${entry.group}:`);
}

/** A command that throws rather than ends the process, and leaves error messages to us. */
function bare(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ helpWidth: helpWidth(), subcommandTerm: (command) => command.name() })
    .helpCommand(false)
    .helpOption("-h, --help", "show this help");
}

function helpWidth(): number {
  return Math.min(process.stdout.columns ?? 100, 100);
}

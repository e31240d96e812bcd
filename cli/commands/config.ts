import type { Command } from "commander";
import { EXIT } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import type { Problem } from "../../registry/types.ts";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { note, warn } from "../output/say.ts";

interface Options {
  stack?: string;
  json?: boolean;
  yes?: boolean;
}

export function define(command: Command): void {
  command.description("The registry's file: where it is, whether it is good, and changing it.");
  const sub = (name: string, description: string) =>
    command.command(name).description(description).addOption(stackOption());
  const showing = sub("path", "print where the registry is, there or not")
    .option("--json", "with what belongs to it, as JSON")
    .action(path);
  addExamples(showing, [['cat "$(repoman config path)"', "read it"]]);
  const editing = sub(
    "edit",
    "open a copy in $VISUAL or $EDITOR; it is checked when you close it, and saved when it is good",
  ).action(edit);
  addExamples(editing, [["EDITOR=nano repoman config edit", "in another editor than usual"]]);
  const validating = sub(
    "validate",
    "list all that is wrong with the registry, its overrides and profiles; exits 1 if anything is",
  )
    .option("--json", "as JSON")
    .action(validate);
  addExamples(validating, [["repoman config validate --json", "for a program"]]);
  const migrating = sub(
    "migrate",
    "bring a file of an older schema to today's; the old one is kept beside it",
  )
    .addOption(yesOption())
    .option("--json", "what was done, as JSON")
    .action(async (options) => (await import("../registry/migrating.ts")).migrate(options));
  addExamples(migrating, [["repoman config migrate --yes", "without asking"]]);
  addExamples(command, [
    ["repoman config edit", "change the registry, and have it checked"],
    ["repoman config validate", "every problem with its file, line and column"],
    ['cat "$(repoman config path)"', "read it"],
    ["repoman config migrate", "from schema 1 or 2 to 3, comments kept"],
  ]);
}

async function path({ stack, json }: Options): Promise<void> {
  const { findRegistry } = await import("../registry/place.ts");
  const { file } = await findRegistry(stack);
  if (!json) {
    process.stdout.write(`${file}\n`);
    return;
  }
  const [{ exists }, { follow }, { placesOf }, { schemaUrl }] = await Promise.all([
    import("../../host/files.js"),
    import("../../registry/edit/file.ts"),
    import("../registry/editing.ts"),
    import("../../registry/json-schema.ts"),
  ]);
  const found = {
    registry: file,
    // A link may lead into a folder of dotfiles.
    file: await follow(file),
    exists: await exists(file),
    ...placesOf(file),
    jsonSchema: schemaUrl("repoman.schema.json"),
  };
  process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
}

async function edit({ stack }: Options): Promise<void> {
  const began = performance.now();
  const [{ findRegistry }, { editConfig }] = await Promise.all([
    import("../registry/place.ts"),
    import("../registry/editing.ts"),
  ]);
  const place = await findRegistry(stack);
  const result = await editConfig(place);
  if (result === "kept") process.exitCode = EXIT.failed;
  if (result !== "saved") return;
  const { journal } = await import("../journal.ts");
  await journal(place.setting, { command: "config edit", result: "ok", exitCode: EXIT.ok, began });
}

async function validate({ stack, json }: Options): Promise<void> {
  const [{ findRegistry }, { validate }, { problemLine }, { count, printable }] = await Promise.all(
    [
      import("../registry/place.ts"),
      import("../registry/validating.ts"),
      import("../../registry/fault.ts"),
      import("../../registry/text.ts"),
    ],
  );
  const seen = await validate(await findRegistry(stack));
  const told = (problem: Problem) => ({ ...problem, remedy: inOwnWords(problem.remedy) });
  const found = { ...seen, warnings: seen.warnings.map(told), problems: seen.problems.map(told) };
  if (!found.valid) process.exitCode = EXIT.failed;
  if (json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  for (const warning of found.warnings) warn(problemLine(warning));
  process.stdout.write(found.problems.map((problem) => `${problemLine(problem)}\n`).join(""));
  const { file, schema, projects, problems } = found;
  const verdict = found.valid ? "good" : `not good: ${count(problems.length, "problem")}`;
  note(`${printable(file)} with ${count(projects, "project")} is ${verdict}.`);
  if (schema < 3) {
    note(`It is of schema ${schema} and read as 3; \`repoman config migrate\` writes it so.`);
  }
}

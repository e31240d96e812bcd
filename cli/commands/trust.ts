import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import type { Project } from "../../registry/types.ts";
import { type Context, readContext } from "../context.ts";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { ask, canAsk, consent, declined } from "../output/ask.ts";
import { note } from "../output/say.ts";
import { requireNames } from "../preflight.ts";
import type { FileReview, Review } from "../trust/review.ts";

interface Options {
  show?: boolean;
  revoke?: boolean;
  yes?: boolean;
  json?: boolean;
  stack?: string;
}

export function define(command: Command): void {
  command
    .description(
      "A repository may ask for an image, profiles, mounts and more in .repoman.toml, and for what " +
        "its backup leaves out in .repoman-exclude. Whoever works in the container can write these " +
        "files, so they count only once you have seen and trusted them: a copy is kept outside of " +
        "the repository, and stays in force when they change.",
    )
    .argument("[name]", "the project; asked for at a terminal")
    .option("--show", "only say how things stand; exits 1 while something waits to be decided")
    .option("--revoke", "take the trust back")
    .addOption(yesOption("agree with what is shown, without a question"))
    .option("--json", "with --show: as JSON")
    .addOption(stackOption())
    .action(trust);
  addExamples(command, [
    ["repoman trust website", "see what website's repository asks for, and agree"],
    ["repoman trust --show", "how it stands with all projects"],
    ["repoman trust website --revoke", "go by the registry alone again"],
  ]);
}

async function trust(name: string | undefined, options: Options): Promise<void> {
  if (options.show && options.revoke) {
    throw new Fault("--show and --revoke are two things", {
      remedy: "Choose one.",
      exitCode: EXIT.usage,
    });
  }
  if (options.json && !options.show) {
    throw new Fault("--json goes with --show", {
      remedy: "Add --show: agreeing is done by what people read.",
      exitCode: EXIT.usage,
    });
  }
  const context = await readContext({ stack: options.stack, tolerant: true });
  const { projects } = context.registry;
  if (name !== undefined) {
    const known = projects.map((project) => project.name);
    requireNames([name], known, context.file);
  }
  const chosen = projects.filter((project) => name === undefined || project.name === name);
  if (options.show) return show(context, chosen, options);
  const project = name === undefined ? await choose(context, projects) : chosen[0];
  if (!project) return;
  await (options.revoke ? revoke : agree)(context, project, options);
}

async function show(context: Context, projects: Project[], { json }: Options): Promise<void> {
  const [{ homeOf, review, waits }, { describeReview, reviewJson }] = await Promise.all([
    import("../trust/review.ts"),
    import("../trust/show.ts"),
  ]);
  const found = await Promise.all(projects.map((project) => review(context, project)));
  const wanting = found.filter(({ files }) => files.some(waits));
  if (json) process.stdout.write(`${JSON.stringify(found.map(reviewJson), null, 2)}\n`);
  else {
    const { home } = homeOf(context);
    const noted = found.filter(({ files }) => files.some(({ state }) => state !== "absent"));
    const told = projects.length === 1 ? found : noted;
    process.stdout.write(told.map((each) => describeReview(each, home)).join("\n"));
    if (told.length === 0) note("No repository asks for anything.");
    for (const { project } of wanting) note(`To decide: repoman trust ${project.name}`);
  }
  if (wanting.length > 0) process.exitCode = EXIT.failed;
}

/** One of the projects that wait for a decision. */
async function choose(context: Context, projects: Project[]): Promise<Project | undefined> {
  if (!canAsk()) {
    throw new Fault("no project was named", {
      remedy: "`repoman trust --show` says how it stands with each; then name one.",
      exitCode: EXIT.usage,
    });
  }
  const { review, waits } = await import("../trust/review.ts");
  const found = await Promise.all(projects.map((project) => review(context, project)));
  const wanting = found.filter(({ files }) => files.some(waits));
  if (wanting.length === 0) {
    note("No repository asks for anything that was not decided.");
    return undefined;
  }
  return ask<Project>(({ select }, io) =>
    select({
      message: "Which project?",
      options: wanting.map(({ project, files }) => ({
        value: project,
        label: project.name,
        hint: files
          .filter(waits)
          .map(({ name }) => name)
          .join(", "),
      })),
      ...io,
    }),
  );
}

async function agree(context: Context, project: Project, { yes }: Options): Promise<void> {
  const { canTrust, review, waits } = await import("../trust/review.ts");
  const found = await review(context, project);
  await print(context, found);
  const wanted = found.files.filter(canTrust);
  const refused = found.files.filter(({ state }) => state === "unusable");
  if (wanted.length === 0) {
    if (refused.length > 0) throw unusable(found, refused);
    const gone = found.files.some(waits);
    note(gone ? `\`repoman trust ${project.name} --revoke\` takes it back.` : "Nothing to decide.");
    return;
  }
  const would = `lets what the repository of ${project.name} asks for count`;
  if (!(await consent("Trust this?", { yes, would }))) {
    declined();
    return;
  }
  const { readUntrusted, storeApproved } = await import("../../registry/trust.ts");
  for (const { name, bytes = Buffer.alloc(0) } of wanted) {
    // The very bytes that were shown, whatever the file has become meanwhile.
    await storeApproved(found.key, name, bytes);
    const now = await readUntrusted(project.repo, name);
    if (!("bytes" in now) || !now.bytes.equals(bytes)) {
      note(`${name} has changed meanwhile; what was shown is what is trusted.`);
    }
  }
  await record(context, project, "trust", wanted);
  note(`Trusted. \`repoman update ${project.name}\` applies it.`);
  if (refused.length > 0) throw unusable(found, refused);
}

async function revoke(context: Context, project: Project, { yes }: Options): Promise<void> {
  const { review } = await import("../trust/review.ts");
  const found = await review(context, project, { revoking: true });
  const held = found.files.filter(({ recorded }) => recorded);
  if (held.length === 0) {
    note(`Nothing of ${project.name} is trusted.`);
    return;
  }
  await print(context, found);
  const would = `takes back the trust in ${held.map(({ name }) => name).join(" and ")}`;
  if (!(await consent("Take the trust back?", { yes, would }))) {
    declined();
    return;
  }
  const { revokeApproved } = await import("../../registry/trust.ts");
  for (const { name } of held) await revokeApproved(found.key, name);
  await record(context, project, "trust --revoke", held);
  note(`No longer trusted. \`repoman update ${project.name}\` applies it.`);
}

async function print(context: Context, found: Review): Promise<void> {
  const [{ homeOf }, { describeReview }] = await Promise.all([
    import("../trust/review.ts"),
    import("../trust/show.ts"),
  ]);
  process.stdout.write(describeReview(found, homeOf(context).home));
}

function unusable({ project }: Review, files: FileReview[]): Fault {
  return new Fault(
    `${files.map(({ name }) => name).join(" and ")} of ${project.name} cannot be trusted as it is`,
    { remedy: "Mend what is marked above with !, and run again." },
  );
}

async function record(
  { setting }: Context,
  { name }: Project,
  command: string,
  files: readonly FileReview[],
): Promise<void> {
  const { journal } = await import("../journal.ts");
  const details = { files: files.map((file) => file.name) };
  await journal(setting, { command, names: [name], result: "ok", exitCode: EXIT.ok, details });
}

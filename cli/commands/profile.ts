import type { Command } from "commander";
import { addExamples, stackOption, yesOption } from "../definition.ts";

const JSON_OPTION = ["--json", "as JSON"] as const;

export function define(command: Command): void {
  command.description(
    "Profiles are parts of a container's configuration under a name. repoman comes with some, and " +
      "yours are in profiles.d beside the registry, where one of the same name takes the place of " +
      "repoman's. Those that projects refer to are put on the server by `up`.",
  );
  list(command);
  inspect(command);
  install(command);
  remove(command);
  write(command);
  addExamples(command, [
    ["repoman profile list", "all there are, what of it is on the server, and what each opens"],
    ["repoman profile install ssh-agent gh-share", "put two of them there, and manage them"],
    ["repoman profile edit dotfiles", "a copy of your own, in your editor"],
  ]);
}

function list(command: Command): void {
  const each = command
    .command("list")
    .description(
      "the library, with what is on the server and differs, and what of the host each profile opens " +
        "to a container: rw or ro for a path, and whether credentials are known to be there; exits 3 " +
        "where the server cannot be reached",
    )
    .option(...JSON_OPTION)
    .addOption(stackOption())
    .action(async (options) => (await import("../profiles/list.ts")).listProfiles(options));
  addExamples(each, [["repoman profile list --json", "for a program"]]);
}

function inspect(command: Command): void {
  const show = command
    .command("show")
    .description("a profile as it is put on the server, as YAML")
    .argument("[name]", "asked for at a terminal")
    .option(...JSON_OPTION)
    .addOption(stackOption())
    .action(async (name, { json, stack }) => {
      const { chooseProfile, readProfiles, requireUsable } = await import("../profiles/library.ts");
      const profiles = await readProfiles(stack, true);
      const template = requireUsable(profiles, await chooseProfile(profiles, name, "Show"));
      const { asYaml } = await import("../profiles/show.ts");
      process.stdout.write(json ? `${JSON.stringify(template, null, 2)}\n` : asYaml(template));
    });
  addExamples(show, [["repoman profile show llm-share", "with the host's address in its place"]]);
  const diff = command
    .command("diff")
    .description(
      "which keys and devices differ between the server and the library; exits 1 where some do, 3 " +
        "where it cannot be told",
    )
    .argument("[name]", "asked for at a terminal")
    .option("--vendor", "between the one that comes with repoman and your own of that name")
    .option(...JSON_OPTION)
    .addOption(stackOption())
    .action(async (name, options) =>
      (await import("../profiles/diff.ts")).diffProfile(name, options),
    );
  addExamples(diff, [
    ["repoman profile diff dotfiles", "what `install` or `up` would change"],
    [
      "repoman profile diff dotfiles --vendor",
      "what you have changed, after an upgrade of repoman",
    ],
  ]);
}

function install(command: Command): void {
  const each = command
    .command("install")
    .description(
      "put profiles on the server now, and keep them there: their names go into repoman:profiles of " +
        "the stack's config",
    )
    .argument("[names...]", "asked for at a terminal")
    .option("--all", "the whole library")
    .option("--adopt", "replace one that is there and that repoman did not make, having shown it")
    .addOption(yesOption())
    .addOption(stackOption())
    .action(async (names, options) =>
      (await import("../profiles/install.ts")).installProfiles(names, options),
    );
  addExamples(each, [
    ["repoman profile install --all", "everything that can be used on this host"],
    [
      "repoman profile install mine --adopt",
      "have the library's take the place of a hand-made one",
    ],
  ]);
}

function remove(command: Command): void {
  const each = command
    .command("remove")
    .description("take a profile off the server; its file stays where it is")
    .argument("[name]", "asked for at a terminal")
    .addOption(yesOption())
    .addOption(stackOption())
    .action(async (name, options) =>
      (await import("../profiles/remove.ts")).removeProfile(name, options),
    );
  addExamples(each, [["repoman profile remove mine", "its file in profiles.d stays"]]);
}

function write(command: Command): void {
  const edit = command
    .command("edit")
    .description(
      "open your file, or a copy of repoman's, in $VISUAL or $EDITOR; checked when saved",
    )
    .argument("[name]", "asked for at a terminal")
    .addOption(stackOption())
    .action(async (name, options) =>
      (await import("../profiles/write.ts")).editProfile(name, options),
    );
  addExamples(edit, [["repoman profile edit dotfiles", "to share more files"]]);
  const fresh = command
    .command("new")
    .description("start a profile of your own, from a skeleton with explanations")
    .argument("[name]", "asked for at a terminal")
    .option("--no-edit", "do not open it in an editor")
    .addOption(stackOption())
    .action(async (name, options) =>
      (await import("../profiles/write.ts")).newProfile(name, options),
    );
  addExamples(fresh, [["repoman profile new postgres", "profiles.d/postgres.yml"]]);
}

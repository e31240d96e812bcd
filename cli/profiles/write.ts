// `repoman profile edit` and `new`: the user's own files in profiles.d.

import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { exists, writeFileAtomic } from "../../host/files.js";
import { problemLine } from "../../registry/fault.ts";
import { Findings } from "../../registry/findings.ts";
import { profileName } from "../../registry/rules.ts";
import { readTemplate } from "../../registry/template.ts";
import { printable, quote } from "../../registry/text.ts";
import { editShadow } from "../editing/shadow.ts";
import { ask, canAsk } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";
import { chooseProfile, type Profiles, readProfiles, requireTemplate } from "./library.ts";
import { skeleton } from "./skeleton.ts";

interface Options {
  stack?: string;
  edit?: boolean;
}

/** Opens the user's file of that name, or a copy of the one that comes with repoman. */
export async function editProfile(given: string | undefined, { stack }: Options): Promise<void> {
  const profiles = await readProfiles(stack, true);
  const name = await chooseProfile(profiles, given, "Edit");
  const template = requireTemplate(profiles, name);
  const own = template.source === "user";
  const file = own ? template.file : join(profiles.userDir, `${name}.yml`);
  const before = await readFile(template.file, "utf8");
  const end = await edit(profiles, file, name, before, async (text) => {
    if (own && (await readFile(file, "utf8")) !== before) {
      throw new Fault(`${printable(file)} was changed by another meanwhile`, {
        remedy: "Take what you need from there, and run again.",
        exitCode: EXIT.conflict,
      });
    }
    // A link, as into a folder of dotfiles, stays one.
    await writeFileAtomic(own ? await realpath(file) : file, text);
    process.stdout.write(`${file}\n`);
    note(`\`repoman profile diff ${name}\` shows what it changes; \`repoman up\` applies it.`);
  });
  if (end === "kept") process.exitCode = EXIT.failed;
  if (end !== "saved" && !own) note(`There is no copy of yours: ${file} was not made.`);
}

/** Nothing that is wrong is saved: one broken profile stops the whole registry. */
function edit(
  { facts, context }: Profiles,
  file: string,
  name: string,
  text: string,
  save: (text: string) => Promise<void>,
) {
  const judge = async (edited: string, draft: string) => {
    const findings = new Findings();
    const { unusable } = readTemplate(file, edited, "user", facts, findings);
    for (const each of unusable) findings.warn(each);
    const problems = await findings.locate([file]);
    if (problems.length === 0) {
      for (const each of await findings.locateWarnings()) warn(problemLine(each));
    }
    return {
      problems: problems.map((each) => ({ ...each, file: draft })),
      fresh: true,
      savable: false,
    };
  };
  return editShadow({ base: `${name}.yml`, text, env: context.setting.env, judge, save });
}

/** Starts a profile from a commented skeleton. */
export async function newProfile(given: string | undefined, options: Options): Promise<void> {
  const profiles = await readProfiles(options.stack, true);
  const { userDir, all } = profiles;
  const name = given ?? (await askName());
  const wrong = profileName(name);
  if (wrong || name === "default") {
    throw new Fault(`${quote(name)} ${wrong?.what ?? "is the server's own profile"}`, {
      remedy: wrong?.remedy ?? "Choose another name.",
      exitCode: EXIT.usage,
    });
  }
  const file = join(userDir, `${name}.yml`);
  const known = all.get(name);
  if (known || (await exists(file))) {
    throw new Fault(`there is a profile "${name}" already: ${printable(known?.file ?? file)}`, {
      remedy: `\`repoman profile edit ${name}\` opens it, or a copy of yours.`,
      exitCode: EXIT.conflict,
    });
  }
  await writeFileAtomic(file, skeleton(name));
  if (options.edit !== false && canAsk()) {
    await edit(profiles, file, name, skeleton(name), (text) => writeFileAtomic(file, text));
  }
  process.stdout.write(`${file}\n`);
  note(`Name it in \`profiles\` of a project, or: repoman profile install ${name}`);
}

async function askName(): Promise<string> {
  if (!canAsk()) {
    throw new Fault("no name was given", {
      remedy: "repoman profile new <name>",
      exitCode: EXIT.usage,
    });
  }
  return ask<string>(({ text }, io) =>
    text({
      message: "What is the profile to be called?",
      validate: (value) => profileName(value ?? "")?.what,
      ...io,
    }),
  );
}

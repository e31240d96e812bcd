// `npm run install-cli`: the command, its manual page and its completions below PREFIX, `~/.local`
// unless said. `npm run uninstall-cli` takes them away.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { paths } from "../host/paths.js";
import { follow, isNewNode } from "./child.js";
import { advice } from "./install/advice.js";
import { marked } from "./install/owned.js";
import { placesBelow, programOf, settings } from "./install/places.js";
import { guarded, putAll } from "./install/put.js";
import { readRecord, writeRecord } from "./install/record.js";
import { asCommand, isMain, setUp } from "./setup.js";
import { ROOT } from "./toolchain.js";

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
export async function main(args, env) {
  const { prefix, destdir } = settings(args, env);
  const { node } = await setUp({ env });
  if (!isNewNode()) return follow(node, [fileURLToPath(import.meta.url), ...args], { env });

  const places = placesBelow({ prefix, destdir });
  const program = programOf(ROOT, destdir);
  const { stateDir } = paths(env);
  const record = destdir === "" ? readRecord(stateDir) : {};
  const done = await putAll({
    places,
    program,
    recorded: record[prefix],
    makeTexts: () => makeTexts(join(prefix, "bin/repoman")),
  });
  if (destdir === "" && record[prefix] !== program) {
    await guarded(stateDir, () => writeRecord(stateDir, { ...record, [prefix]: program }));
  }
  for (const { place, changed } of done) {
    process.stdout.write(`${changed ? "Put there:    " : "There already:"} ${place}\n`);
  }
  if (destdir === "") for (const line of advice(places, env)) process.stdout.write(`${line}\n`);
  return 0;
}

/** @param {string} installed the command, where it will be */
async function makeTexts(installed) {
  const [{ manualPage, releaseDate }, { completionScript }] = await Promise.all([
    import("../cli/manual/page.ts"),
    import("../cli/completion/scripts.ts"),
  ]);
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const date = releaseDate(readChangelog(), version);
  return {
    man: marked(await manualPage({ version, date }), '.\\"'),
    bash: marked(completionScript("bash", installed), "#"),
    zsh: marked(completionScript("zsh", installed), "#"),
    fish: marked(completionScript("fish", installed), "#"),
  };
}

function readChangelog() {
  try {
    return readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  } catch {
    return "";
  }
}

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2), process.env));

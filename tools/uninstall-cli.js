// `npm run uninstall-cli`: takes away what `npm run install-cli` has put there, as far as it is still
// what it put there. Needs nothing but Node, so that it works where all else is gone.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../host/paths.js";
import { isOthers, leadsHere, ofFile, ofLink } from "./install/owned.js";
import { placesBelow, programOf, settings } from "./install/places.js";
import { guarded } from "./install/put.js";
import { RECORD, readRecord, writeRecord } from "./install/record.js";
import { asCommand, isMain } from "./setup.js";
import { ROOT } from "./toolchain.js";

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
export async function main(args, env) {
  const { prefix, destdir, named } = settings(args, env);
  const { stateDir } = paths(env);
  const program = programOf(ROOT, destdir);
  const record = destdir === "" ? readRecord(stateDir) : {};
  // Without a prefix, all that this checkout was installed to.
  const own = Object.keys(record).filter((each) => !isOthers(program, record[each]));
  let taken = 0;
  for (const each of new Set([prefix, ...(named ? [] : own)])) {
    const recorded = record[each];
    if (isOthers(program, recorded)) {
      process.stdout.write(`Stays, since ${recorded} is what was installed there: ${each}\n`);
      continue;
    }
    taken += await takeAway({ prefix: each, destdir }, program, recorded);
    delete record[each];
  }
  if (destdir === "" && existsSync(join(stateDir, RECORD))) {
    await guarded(stateDir, () =>
      Object.keys(record).length > 0
        ? writeRecord(stateDir, record)
        : rm(join(stateDir, RECORD), { force: true }),
    );
  }
  if (taken === 0) process.stdout.write("There was nothing to take away.\n");
  return 0;
}

/**
 * @param {{ prefix: string, destdir: string }} where
 * @param {string} program
 * @param {string | undefined} recorded
 * @returns {Promise<number>} how much was taken away
 */
async function takeAway(where, program, recorded) {
  const { link, ...files } = placesBelow(where);
  const found = [
    { place: link, whose: ofLink(link, leadsHere(program, recorded)) },
    ...Object.values(files).map((place) => ({ place, whose: ofFile(place) })),
  ];
  let taken = 0;
  for (const { place, whose } of found) {
    if (whose === "foreign") {
      process.stdout.write(`Stays, since it is not as install-cli left it: ${place}\n`);
    } else if (whose === "ours") {
      await guarded(place, () => rm(place));
      process.stdout.write(`Taken away: ${place}\n`);
      taken += 1;
    }
  }
  return taken;
}

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2), process.env));

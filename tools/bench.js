// `npm run bench`: measures repoman beside the raw API, in the same private machine as the tests.
// It asserts nothing: times are for people to read, and ratios within one run to compare.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { EXIT, Fault } from "../host/fault.js";
import { runInMachine } from "./machine.js";
import { asCommand, isMain } from "./setup.js";
import { ROOT } from "./toolchain.js";

const USAGE = `usage: npm run bench -- [--containers N] [--rounds N] [--only PART] [--json]
  --containers N  how many repositories, each with a container (20)
  --rounds N      how often each is measured; medians are shown (3, and 9 for copies)
  --only PART     "estate" or "copies": mirror runs of a real size, 100,000 files and 2 GB, which
                  take 8 GB in /var/tmp while they are measured
  --json          for a program
`;

/** The estate's bridge is a /24, and the raw instances and repoman's are never there together. */
const MOST_CONTAINERS = 200;

/** @param {string[]} args */
function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        containers: { type: "string", default: "20" },
        rounds: { type: "string", default: "3" },
        only: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return {
      containers: between("--containers", values.containers, MOST_CONTAINERS),
      rounds: between("--rounds", values.rounds, 100),
      ...(values.only !== undefined && { only: part(values.only) }),
      json: values.json,
      help: values.help,
    };
  } catch (error) {
    if (error instanceof Fault) throw error;
    const what = error instanceof Error ? error.message : String(error);
    throw new Fault(what, { remedy: USAGE.trimEnd(), exitCode: EXIT.usage });
  }
}

/** @param {string} name */
function part(name) {
  if (name === "estate" || name === "copies") return name;
  throw new Fault(`--only ${JSON.stringify(name)} is neither estate nor copies`, {
    remedy: USAGE.trimEnd(),
    exitCode: EXIT.usage,
  });
}

/** @param {string} name @param {string} text @param {number} most */
function between(name, text, most) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Fault(`${name} ${JSON.stringify(text)} is no number from 1 to ${most}`, {
    remedy: USAGE.trimEnd(),
    exitCode: EXIT.usage,
  });
}

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
export async function main(args, env) {
  const { help, ...options } = readOptions(args);
  if (help) {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  return runInMachine({
    script: fileURLToPath(import.meta.url),
    args,
    env,
    purpose: "A machine of its own for the measurements",
    command: [join(ROOT, "test/bench/main.ts"), JSON.stringify(options)],
  });
}

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2), process.env));

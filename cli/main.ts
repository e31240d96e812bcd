// The command line. What a command needs is loaded when it is asked for: `env` and `--version`
// are run by shells at start-up and have to be quick.

import { readFileSync } from "node:fs";
import { reportError, survivePipes } from "./output/say.ts";

survivePipes();

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

async function main(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  if (first === "--version" || first === "-V") {
    process.stdout.write(`${version()}\n`);
    return;
  }
  if (first === "__complete") {
    const { answer } = await import("./completion/answer.ts");
    return answer(rest);
  }
  const { definition, findEntry, overview, run } = await import("./program.ts");
  if (first === undefined) {
    process.stderr.write(overview(version()).helpInformation());
    process.exitCode = 2;
    return;
  }
  if (first === "help") {
    // `repoman help profile list` is `repoman profile list --help`.
    return main([...rest, "--help"]);
  }
  if (first.startsWith("-")) return run(overview(version()), args);
  return run(await definition(findEntry(first)), rest);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error);
}

import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Pulumi looks for what it calls bundled plugins beside its own executable. A build from source
// has none of them there, so these are put in their place. `REPOMAN_ROOT` is in the environment
// of whatever is run with this toolchain; `exec`, since Pulumi signals the process that it started.

const HEAD = `#!/bin/sh
: "\${REPOMAN_ROOT:?is not set; run: eval \\"\\$(repoman env)\\"}"
`;

const LAUNCHERS = {
  "pulumi-language-nodejs": `${HEAD}exec node "$REPOMAN_ROOT/tools/language-host/main.js" "$@"
`,
  // The SDK's own way to find the module takes one more start of Node. As there, the program that
  // is run may bring an SDK of its own.
  "pulumi-resource-pulumi-nodejs": `${HEAD}provider=node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js
[ -f "$provider" ] || provider=$REPOMAN_ROOT/$provider
exec node "$provider" "$@"
`,
};

/**
 * @param {string} folder where Pulumi lies
 * @returns {boolean} whether all are there as they should be
 */
export function launchersReady(folder) {
  return Object.entries(LAUNCHERS).every(([name, text]) => {
    try {
      return readFileSync(join(folder, name), "utf8") === text;
    } catch {
      return false;
    }
  });
}

/** @param {string} folder */
export function writeLaunchers(folder) {
  for (const [name, text] of Object.entries(LAUNCHERS)) {
    const file = join(folder, name);
    writeFileSync(`${file}.tmp`, text);
    chmodSync(`${file}.tmp`, 0o755);
    renameSync(`${file}.tmp`, file);
  }
}

import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * The SDK's module that runs a program or a plugin, from the SDK that is installed for it.
 *
 * @param {"run" | "run-plugin"} name
 * @param {string} folder the program's
 */
export function runModule(name, folder) {
  const module = `@pulumi/pulumi/cmd/${name}`;
  for (const from of [folder, process.env.REPOMAN_ROOT]) {
    if (!from) continue;
    try {
      return createRequire(join(from, "package.json")).resolve(module);
    } catch {
      // Not installed there.
    }
  }
  throw new Error(`@pulumi/pulumi is not installed below ${folder}; run npm ci there`);
}

/**
 * @param {any} request a RunRequest
 * @param {string} engine
 * @returns {string[]} the module that runs the program and what it is told
 */
export function runArguments(request, engine) {
  const info = request.getInfo();
  const folder = info.getProgramDirectory();
  const flags = Object.entries({
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info.getRootDirectory(),
    stack: request.getStack(),
    pwd: folder,
    parallel: String(request.getParallel()),
  }).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  if (request.getDryrun()) flags.push("--dry-run");
  return [runModule("run", folder), ...flags, info.getEntryPoint(), ...request.getArgsList()];
}

/**
 * The options of `runtime` in Pulumi.yaml.
 *
 * @param {any} info a ProgramInfo
 * @returns {{ nodeArguments: string[], variables: Record<string, string> }}
 */
export function runEnvironment(info) {
  const options = info.getOptions()?.toJavaScript() ?? {};
  /** @type {Record<string, string>} */
  const variables = {};
  if (options.typescript !== false) variables.PULUMI_NODEJS_TYPESCRIPT = "true";
  if (options.tsconfig) variables.PULUMI_NODEJS_TSCONFIG_PATH = options.tsconfig;
  return { nodeArguments: words(options.nodeargs ?? ""), variables };
}

/**
 * Splits as a shell does, with quotes and without expansions.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  const found = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return found.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @typedef {object} Manifest the fields of a package.json that matter here
 * @property {string} [name]
 * @property {string} [version]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [devDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {{ resource?: boolean, name?: string, version?: string, server?: string,
 *   parameterization?: { name: string, version: string, value: string } }} [pulumi]
 */

/**
 * @param {string} folder
 * @returns {Manifest | undefined}
 */
function manifestIn(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * The folder of a package, looked for as Node does.
 *
 * @param {string} name
 * @param {string} from
 * @returns {string | undefined}
 */
function packageFolder(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * The Pulumi packages that a program depends on, directly or through another one: those that say
 * in their package.json that a provider belongs to them. Only what uses Pulumi's SDK can use a
 * provider, so nothing else is looked into.
 *
 * @param {string} program the program's folder
 * @returns {{ name: string, version: string, server: string,
 *   parameterization?: { name: string, version: string, value: string } }[]}
 */
export function requiredPackages(program) {
  const found = new Map();
  const seen = new Set();
  const look = (/** @type {string} */ folder) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const manifest = manifestIn(folder);
    if (!manifest) return;
    const { dependencies = {}, peerDependencies = {}, pulumi } = manifest;
    if (pulumi?.resource && folder !== program) {
      const name = pulumi.name ?? manifest.name?.replace(/^@pulumi\//, "") ?? "";
      const version = `v${(pulumi.version || manifest.version || "").replace(/^v/, "")}`;
      found.set(`${name}@${version}`, {
        name,
        version,
        server: pulumi.server ?? "",
        ...(pulumi.parameterization ? { parameterization: pulumi.parameterization } : {}),
      });
    }
    const usesPulumi = "@pulumi/pulumi" in dependencies || "@pulumi/pulumi" in peerDependencies;
    if (!usesPulumi) return;
    for (const name of Object.keys(dependencies)) {
      const dependency = packageFolder(name, folder);
      if (dependency) look(dependency);
    }
  };
  look(program);
  return [...found.values()];
}

/**
 * What a program depends on, with the versions that are installed.
 *
 * @param {string} program
 * @param {boolean} transitive
 * @returns {{ name: string, version: string }[]}
 */
export function programDependencies(program, transitive) {
  if (transitive) {
    try {
      const lock = JSON.parse(
        readFileSync(join(program, "node_modules/.package-lock.json"), "utf8"),
      );
      return Object.entries(/** @type {Record<string, Manifest>} */ (lock.packages)).map(
        ([path, { version = "" }]) => ({ name: path.replace(/^.*node_modules\//, ""), version }),
      );
    } catch {
      // Installed by something else than npm: the direct ones are better than none.
    }
  }
  const { dependencies = {}, devDependencies = {} } = manifestIn(program) ?? {};
  return Object.entries({ ...dependencies, ...devDependencies }).map(([name, wanted]) => {
    const folder = packageFolder(name, program);
    return { name, version: (folder && manifestIn(folder)?.version) || wanted };
  });
}

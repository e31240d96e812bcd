import { networkInterfaces } from "node:os";
import { basename, dirname, join } from "node:path";
import { paths } from "../../host/paths.js";
import { UNTRUSTED_FILES } from "../../registry/trust.ts";
import type { Problem } from "../../registry/types.ts";
import type { Check, Finding } from "./check.ts";

/** Whether the address that profiles give to containers is still this host's. */
export const lan: Check = {
  group: "host",
  subject: "LAN address",
  limit: 1_000,
  async look({ registry, whole }): Promise<Finding[]> {
    if (!whole) return [];
    return [judgeLan(registry.lanIp, networkInterfaces())];
  },
};

export function judgeLan(
  lanIp: string,
  interfaces: Readonly<
    Record<string, readonly { address: string; internal: boolean }[] | undefined>
  >,
): Finding {
  const about = { group: "host", subject: "LAN address" } as const;
  if (lanIp === "") return { ...about, state: "good", what: "none is declared" };
  const all = Object.entries(interfaces).flatMap(([name, list]) =>
    (list ?? []).map((each) => ({ name, ...each })),
  );
  const found = all.find(({ address }) => address === lanIp);
  if (found) return { ...about, state: "good", what: `${lanIp} is this host's, on ${found.name}` };
  const now = all
    .filter(({ address, internal }) => !internal && !address.includes(":"))
    .map(({ name, address }) => `${address} on ${name}`);
  return {
    ...about,
    state: "bad",
    what: `${lanIp} is not this host's any more; it has ${now.join(", ") || "none"}`,
    remedy: "Have it found again (repoman setup), then: repoman up",
  };
}

/** What is wrong with the files that people write, and what repositories ask for. */
export const registryFiles: Check = {
  group: "registry",
  subject: "registry",
  limit: 5_000,
  async look({ registry, library, problems, file, env, projects, whole }): Promise<Finding[]> {
    const names = new Set(projects.map(({ name }) => name));
    const concerns = ({ project }: Problem) =>
      project === undefined ? whole : names.has(project) || whole;
    const referenced = new Set(projects.flatMap(({ profiles }) => profiles));
    const ofProfiles = [...library.warnings].flatMap(([name, list]) =>
      referenced.has(name) ? list : [],
    );
    const findings = [
      ...problems.map((problem): Finding => ({ ...placed(problem), state: "bad" })),
      ...registry.warnings
        .filter(concerns)
        .map((problem) => (isTrust(problem, env) ? trust(problem) : noted(problem))),
      ...ofProfiles.map(noted),
    ];
    if (problems.length > 0) return findings;
    const what = "is well-formed";
    return [{ group: "registry", subject: basename(file), state: "good", what }, ...findings];
  },
};

function isTrust({ file }: Problem, env: NodeJS.ProcessEnv): boolean {
  const untrusted: readonly string[] = UNTRUSTED_FILES;
  return (
    untrusted.includes(basename(file)) || dirname(file) === join(paths(env).dataDir, "trusted")
  );
}

function trust(problem: Problem): Finding {
  const subject = problem.project ?? basename(problem.file);
  const what = problem.what.replace(/^project "[^"]*": /, "");
  const remedy = `Look at what it asks for, and agree or not: repoman trust ${subject}`;
  return { group: "registry", subject, state: "bad", what, remedy };
}

function noted(problem: Problem): Finding {
  return { ...placed(problem), state: "note" };
}

function placed({ file, line, column, what, remedy }: Problem) {
  const place = [basename(file), line, column].filter((part) => part !== undefined).join(":");
  return { group: "registry", subject: place, what, remedy } as const;
}

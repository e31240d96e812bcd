// What nobody has said of an instance, and its entry has to: found out.

import { EXIT, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import { NotFound } from "../../../incus/errors.ts";
import { remotes } from "../../../incus/remotes.ts";
import type { Instance } from "../../../incus/types.ts";
import { MARK } from "../../../providers/ownership.ts";
import { repository } from "../../../registry/paths.ts";
import type { Registry } from "../../../registry/types.ts";
import { type Candidate, repositoryCandidates } from "../../../survey/adoption.ts";
import { accounts } from "../../../survey/owners.ts";
import { lookAtRepository } from "../../../survey/repository.ts";
import type { Context } from "../../context.ts";

export interface PlanOptions {
  /** `--repo` */
  repo?: string | undefined;
  /** `--image` */
  image?: string | undefined;
  /** Chooses between several devices; without it that is bad usage. */
  choose?: ((candidates: readonly Candidate[]) => Promise<Candidate>) | undefined;
}

/** @throws Fault (usage) where no device is the repository, or several could be */
export async function repositoryOf(
  instance: Instance,
  { defaults }: Registry,
  { setting }: Context,
  { repo, choose }: PlanOptions,
): Promise<Candidate> {
  const { name, project } = instance;
  const all = repositoryCandidates(instance, defaults.reposRoot);
  const home = setting.env.HOME ?? "/";
  const wanted = repo === undefined ? undefined : repository(repo, defaults.reposRoot, home).path;
  const candidates = wanted === undefined ? all : all.filter((each) => each.repo === wanted);
  const [first, ...others] = candidates;
  if (first && others.length === 0) return first;
  if (first && choose) return choose(candidates);
  if (first) {
    throw new Fault(
      `the instance "${name}" has several directories below ${defaults.reposRoot}: ${candidates
        .map((each) => each.repo)
        .join(", ")}`,
      { remedy: "Say which one is its repository: --repo DIR", exitCode: EXIT.usage },
    );
  }
  const place = wanted ?? `${defaults.reposRoot}/${name}`;
  throw new Fault(
    `no disk device of the instance "${name}" brings ${wanted ?? `a directory below ${defaults.reposRoot}`}`,
    {
      remedy: `A project's container has its repository. Give it: incus config device add --project ${project} ${name} repo disk source=${place} path=${place}`,
      exitCode: EXIT.usage,
    },
  );
}

export async function ownerOf(
  name: string,
  { repo }: Candidate,
  { defaults }: Registry,
): Promise<{ uid: number; gid: number }> {
  const facts = await lookAtRepository({ name, repo }, defaults.reposRoot);
  if ("fault" in facts) throw new Fault(facts.fault);
  const account = (await accounts([facts.uid])).get(facts.uid);
  return account ?? facts;
}

/** What to write as its image: what it was made from, as far as anybody knows. */
export async function imageOf(
  client: IncusClient,
  { config }: Instance,
  { defaults }: Registry,
  { setting }: Context,
): Promise<string> {
  const fingerprint = config["volatile.base_image"];
  const marked = config[MARK.image];
  if (marked !== undefined) return marked;
  if (!fingerprint) return defaults.defaultImage;
  try {
    const { aliases, update_source: source } = await client.getImage("default", fingerprint);
    const names = aliases.map(({ name }) => name);
    const known = names.includes(defaults.defaultImage) ? defaults.defaultImage : names[0];
    if (known !== undefined) return known;
    for (const { name, addresses } of remotes(setting.env).values()) {
      if (source && addresses.includes(source.server)) return `${name}:${source.alias}`;
    }
  } catch (error) {
    // It was cached once, and is not any more.
    if (!(error instanceof NotFound)) throw error;
  }
  return fingerprint;
}

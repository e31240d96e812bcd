import type { Project, Registry } from "../../registry/types.ts";
import type { ProjectFacts, Survey } from "../../survey/survey.ts";

/** A resolved project, as the registry gives it for little more than a name. */
export function project(name: string, more: Partial<Project> = {}): Project {
  return {
    name,
    repo: `/home/dev/repos/${name}`,
    path: `/home/dev/repos/${name}`,
    image: "images:debian/12/cloud",
    profiles: ["default"],
    enabled: true,
    backup: true,
    backupPath: `/backup/${name}`,
    backupMaxAge: 86_400,
    hermes: false,
    restart: false,
    ignore: [],
    ports: [],
    mounts: [],
    env: {},
    config: {},
    devices: {},
    ...more,
  };
}

export function registry(projects: Project[]): Registry {
  return {
    file: "/home/dev/.config/repoman/repoman.toml",
    schema: 3,
    output: "",
    lanIp: "",
    defaults: {
      reposRoot: "/home/dev/repos",
      backupRoot: "/backup",
      backupMaxAge: 86_400,
      logdir: "/home/dev/.local/state/repoman",
      incusProject: "repoman",
      defaultImage: "images:debian/12/cloud",
      profiles: ["default"],
    },
    projects,
    warnings: [],
  };
}

export const DEV = { name: "dev", uid: 1000, gid: 1000, home: "/home/dev" };

/** A survey in which all is well. */
export function survey(projects: Project[], facts: Partial<ProjectFacts> = {}): Survey {
  return {
    projects: new Map(
      projects.map(({ name }) => [name, { owner: DEV, exists: false, warnings: [], ...facts }]),
    ),
    profilesOnServer: new Set(["default"]),
    backups: new Map(
      projects.map(({ name, repo, backupPath, backupMaxAge }) => [
        name,
        {
          name,
          source: repo,
          destination: backupPath ?? "",
          backupRoot: "/backup",
          maxAge: backupMaxAge,
        },
      ]),
    ),
    orphans: [],
    leaving: [],
  };
}

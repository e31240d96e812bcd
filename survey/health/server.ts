import { ifThere } from "../../incus/errors.ts";
import { FEATURES } from "../../providers/features.ts";
import { describeOwner, isOwn } from "../../providers/ownership.ts";
import type { Check, Finding } from "./check.ts";

export const server: Check = {
  group: "server",
  subject: "Incus",
  limit: 5_000,
  async look({ client, unreachable }) {
    const about = { group: "server", subject: "Incus" } as const;
    if (client) {
      const { server_version: version } = client.server.environment;
      return [{ ...about, state: "good", what: `${version} answers: ${client.place}` }];
    }
    return [
      {
        ...about,
        state: "bad",
        what: unreachable?.what ?? "does not answer",
        remedy: unreachable?.remedy ?? "See what is the matter with it: repoman daemon status",
      },
    ];
  },
};

export const project: Check = {
  group: "project",
  subject: "Incus project",
  limit: 20_000,
  async look({ client, registry, owner }): Promise<Finding[]> {
    const name = registry.defaults.incusProject;
    const about = { group: "project", subject: name } as const;
    if (!client) return [{ ...about, state: "unknown", what: "the server is out of reach" }];
    const found = await ifThere(client.getProject(name));
    if (!found) {
      const none = registry.projects.every(({ enabled }) => !enabled);
      if (none) return [{ ...about, state: "good", what: "is not there, and nothing needs it" }];
      return [
        { ...about, state: "bad", what: "is not on the server", remedy: "Make it: repoman up" },
      ];
    }
    const { config } = found.value;
    if (!isOwn(config, owner)) {
      return [
        {
          ...about,
          state: "bad",
          what: `is not this stack's: ${describeOwner(config)}`,
          remedy: "Choose another name for it: incus_project in the registry's [defaults]",
        },
      ];
    }
    const wrong = Object.keys(FEATURES).filter((key) => config[key] !== FEATURES[key]);
    if (wrong.length > 0) {
      const what = `${wrong.join(", ")} ${wrong.length > 1 ? "are" : "is"} not as repoman sets it`;
      return [{ ...about, state: "bad", what, remedy: "Put it back: repoman up" }];
    }
    return [{ ...about, state: "good", what: "is there, and this stack's" }];
  },
};

import type { Orphan, ProjectState } from "../reconcile.ts";
import { type Check, type Finding, fromMessage, statesOf } from "./check.ts";
import { some } from "./profiles.ts";

/** Whether each container is what the registry says. */
export const containers: Check = {
  group: "containers",
  subject: "containers",
  limit: 5_000,
  async look(patient) {
    const orphans = patient.whole ? patient.reconciled.orphans : [];
    return [...statesOf(patient).map(judged), ...orphans.map(left)];
  },
};

function judged({
  project,
  drift,
  instance,
  differences,
  replaces,
  reason,
}: ProjectState): Finding {
  const { name } = project;
  const about = { group: "containers", subject: name } as const;
  switch (drift) {
    case "ok":
      return {
        ...about,
        state: "good",
        what: instance ? instance.status.toLowerCase() : "disabled",
      };
    case "drift": {
      const properties = some(differences.map(({ property }) => property));
      return {
        ...about,
        state: "bad",
        what: `is not as declared: ${properties}${replaces ? "; to be so it must be made anew" : ""}`,
        remedy: `Look (repoman preview ${name} --diff), then: repoman up ${name}`,
      };
    }
    case "missing":
      return {
        ...about,
        state: "bad",
        what: "has no container",
        remedy: `Make it: repoman up ${name}`,
      };
    case "conflict":
      return {
        ...about,
        state: "bad",
        what: reason ?? "another's instance has its name",
        remedy: `Take it into the estate (repoman adopt ${name}), or rename the project: repoman rename ${name}`,
      };
    case "unreachable":
      return {
        ...about,
        state: "unknown",
        what: firstLine(reason ?? "the server does not answer"),
      };
    case "fault": {
      const found = fromMessage("containers", name, "bad", reason ?? "cannot be what is declared");
      return { ...found, remedy: found.remedy ?? `See why: repoman preview ${name}` };
    }
  }
}

function left({ instance, own }: Orphan): Finding {
  const about = { group: "containers", subject: instance.name, state: "bad" } as const;
  return own
    ? {
        ...about,
        what: "is no longer in the registry",
        remedy:
          "Have its container deleted (repoman up), or see what else there is: repoman repair",
      }
    : {
        ...about,
        what: "is not in the registry, and repoman did not make it",
        remedy: `Take it into the estate: repoman adopt ${instance.name}`,
      };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

import { problemLine } from "../../registry/fault.ts";
import { profileDifferences, standing } from "../profiles.ts";
import type { Check, Finding } from "./check.ts";

/** The server's own, on which every instance may rely; repoman never writes it. */
const SERVERS_OWN = "default";

/** Each profile that projects refer to: known, on the server, and as its template says. */
export const profiles: Check = {
  group: "profiles",
  subject: "profiles",
  limit: 20_000,
  async look(patient) {
    const { client, projects, library } = patient;
    const users = new Map<string, string[]>();
    for (const { name, enabled, profiles: names } of projects) {
      for (const profile of enabled ? names : []) {
        users.set(profile, [...(users.get(profile) ?? []), name]);
      }
    }
    if (users.size === 0) return [];
    if (!client) {
      return [
        {
          group: "profiles",
          subject: [...users.keys()].join(", "),
          state: "unknown",
          what: "the server is out of reach",
        },
      ];
    }
    const onServer = new Map(
      (await client.getProfiles("default")).map((each) => [each.name, each]),
    );
    return [...users].map(([name, by]): Finding => {
      const about = { group: "profiles", subject: name } as const;
      const template = name === SERVERS_OWN ? undefined : library.get(name);
      const live = onServer.get(name);
      const fault = library.faults.get(name);
      if (fault && name !== SERVERS_OWN) {
        return { ...about, state: "bad", what: problemLine(fault), remedy: mend(name) };
      }
      if (!template) return referenced(name, by, live !== undefined);
      if (!live) {
        const what = "is in the library, and not on the server";
        return { ...about, state: "bad", what, remedy: "Put it there: repoman up" };
      }
      const stands = standing(live, patient.owner);
      const differences = profileDifferences(live, template);
      if (differences.length > 0) {
        const properties = differences.map(({ property }) => property);
        return {
          ...about,
          state: "bad",
          what: `has drifted from its template: ${some(properties)}`,
          remedy: `See how (repoman profile diff ${name}), and put it back: repoman up`,
        };
      }
      if (!stands.own) {
        return {
          ...about,
          state: "bad",
          what: "is on the server, and this stack does not manage it",
          remedy: `Have it managed: repoman profile install ${name}${stands.managed ? "" : " --adopt"}`,
        };
      }
      return { ...about, state: "good", what: "is as its template says" };
    });
  },
};

/** A profile without a template has to be on the server; what is in it is somebody else's affair. */
function referenced(name: string, by: readonly string[], there: boolean): Finding {
  const about = { group: "profiles", subject: name } as const;
  if (there) return { ...about, state: "good", what: "is on the server" };
  return {
    ...about,
    state: "bad",
    what: `is neither in the library nor on the server; ${some(by)} ${by.length > 1 ? "refer" : "refers"} to it`,
    remedy: mend(name),
  };
}

function mend(name: string): string {
  return `Correct \`profiles\` in the registry, or ${name}.yml in profiles.d beside it.`;
}

/** The first of many. */
export function some(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

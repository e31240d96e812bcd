// `repoman profile list`: the library, what of it is on the server, and what each profile opens.

import { Fault } from "../../host/fault.js";
import { withTilde } from "../../host/paths.js";
import type { Profile } from "../../incus/types.ts";
import { type Exposure, exposuresOf } from "../../registry/exposure.ts";
import { problemLine } from "../../registry/fault.ts";
import { printable } from "../../registry/text.ts";
import { profileDifferences, standing } from "../../survey/profiles.ts";
import { connectTo } from "../context.ts";
import { warn } from "../output/say.ts";
import { renderTable } from "../output/table.ts";
import { type Profiles, readProfiles, sourceOf } from "./library.ts";

/** One profile, as `--json` prints it. */
export interface ProfileRow {
  name: string;
  description: string;
  source: string;
  file: string;
  /** Null where the server could not be asked. */
  installed: boolean | null;
  /** Whether some stack of repoman's manages the one on the server. */
  managed: boolean | null;
  /** Null where it is not on the server, or cannot be compared. */
  drift: boolean | null;
  /** Why it cannot be used on this host. */
  fault: string | null;
  /** The instances that use it. */
  users: string[];
  exposes: Exposure[];
  credentials: boolean;
}

/**
 * Exits 0 whatever it shows: it informs.
 *
 * @throws Unreachable, Forbidden when all has been shown that is known without the server
 */
export async function listProfiles({ stack, json }: { stack?: string; json?: boolean }) {
  const profiles = await readProfiles(stack, true);
  for (const problem of profiles.context.problems) warn(problemLine(problem));
  const live = await liveProfiles(profiles);
  const rows = rowsOf(profiles, live instanceof Fault ? undefined : live);
  process.stdout.write(
    json ? `${JSON.stringify(rows, null, 2)}\n` : `${table(rows, profiles.facts.home)}\n`,
  );
  for (const [name, warnings] of profiles.all.warnings) {
    if (profiles.all.has(name)) for (const each of warnings) warn(problemLine(each));
  }
  if (live instanceof Fault) throw live;
}

/** By name; why not, where the server does not answer. */
async function liveProfiles({ context }: Profiles): Promise<Map<string, Profile> | Fault> {
  try {
    const client = await connectTo(context);
    try {
      const found = await client.getProfiles();
      return new Map(found.map((profile) => [profile.name, profile]));
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error;
  }
}

export function rowsOf(
  { all, usable, context, facts }: Profiles,
  live: ReadonlyMap<string, Profile> | undefined,
): ProfileRow[] {
  const owner = { id: context.config.stackId ?? "" };
  return [...all.values()].map((template) => {
    const { name, description, file } = template;
    const profile = live?.get(name);
    const stands = profile && standing(profile, owner);
    const wanted = usable.get(name);
    const exposes = exposuresOf(template.devices, facts.home);
    return {
      name,
      description,
      source: sourceOf(template),
      file,
      installed: live ? profile !== undefined : null,
      managed: live ? (stands?.managed ?? false) : null,
      drift: profile && wanted ? profileDifferences(profile, wanted).length > 0 : null,
      fault: usable.faults.get(name)?.what ?? null,
      users: stands?.users ?? [],
      exposes,
      credentials: exposes.some(({ credentials }) => credentials),
    };
  });
}

/** Each thing that a profile opens has a line of its own: what is cut off is no warning. */
function table(rows: ProfileRow[], home: string): string {
  const columns = [
    { head: "NAME", least: 12 },
    { head: "SOURCE", least: 12 },
    { head: "INSTALLED" },
    { head: "DRIFT" },
    { head: "EXPOSES", least: 21 },
    { head: "CREDENTIALS" },
  ];
  const lines = rows.flatMap((row) => {
    const first = [row.name, row.source, installed(row), drift(row)].map(printable);
    const exposes = row.exposes.length > 0 ? row.exposes : [undefined];
    return exposes.map((exposure, index) => [
      ...(index === 0 ? first : ["", "", "", ""]),
      exposure ? exposed(exposure, home) : "nothing",
      exposure?.credentials ? "yes" : "no",
    ]);
  });
  return renderTable(columns, lines, process.stdout.isTTY ? process.stdout.columns : undefined);
}

function exposed({ kind, host, writable }: Exposure, home: string): string {
  const place = printable(withTilde(host, home));
  return kind === "path" ? `${writable ? "rw" : "ro"} ${place}` : `${kind} ${place}`;
}

function installed({ installed: there, managed }: ProfileRow): string {
  if (there === null) return "?";
  if (!there) return "no";
  return managed ? "yes" : "foreign";
}

function drift({ installed: there, drift: drifted, fault }: ProfileRow): string {
  if (there === null || (there && fault !== null)) return "?";
  return drifted === null ? "n/a" : drifted ? "yes" : "no";
}

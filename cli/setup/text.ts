import { inOwnWords } from "../../host/own-words.js";
import { printable } from "../../registry/text.ts";
import type { SetupPlan } from "./carry-out.ts";

/** What was found, and what would change: shown before anything is. */
export function describeSetup({ detected, reposRoot, disk, changes }: SetupPlan): string {
  const { user, incus, lan, registry, file, text, stack } = detected;
  const projects = registry?.projects.length ?? 0;
  const rows: [string, string][] = [
    ["Incus", `${incus.version}, ${incus.place}`],
    ["user", `${user.name} (${user.uid}:${user.gid})`],
    ["LAN address", lan ? `${lan.address}, ${lan.because}` : "not found"],
    ["repos_root", `${reposRoot.path}${reposRoot.missing ? ", not there yet" : ""}`],
    ["backup_root", backup(disk)],
    ["registry", text === undefined ? `${file}, not there yet` : `${file}, ${projects} projects`],
    ["stack", `${stack.name}${stack.exists ? "" : ", not made yet"}`],
  ];
  const found = rows.map(([key, value]) => `  ${key.padEnd(12)} ${printable(value)}`);
  const planned =
    changes.length === 0
      ? ["Nothing is to be changed."]
      : ["To be changed:", ...changes.map((change) => `  ${change}`)];
  return ["Found:", ...found, ...planned].join("\n");
}

function backup(disk: SetupPlan["disk"]): string {
  if (!disk) return "none: nothing is backed up";
  if (!disk.ok) return `${disk.path}, ${disk.reason}`;
  return `${disk.path}, on ${disk.fstype} from ${disk.source}`;
}

/** What keeps backups from working; set-up goes on without. */
export function diskTrouble({ disk }: SetupPlan): string | undefined {
  if (!disk || disk.ok) return undefined;
  return `backups wait for their disk: ${disk.reason}\n  ${disk.remedy}`;
}

/** What comes next, as commands to copy. */
export function afterSetup({ detected }: SetupPlan): string {
  const known = (detected.registry?.projects.length ?? 0) > 0;
  const next: [string, string][] = known
    ? [
        ["repoman preview", "what would change on this host"],
        ["repoman up", "make it so"],
        ["repoman new", "one more container"],
      ]
    : [
        ["repoman new", "a container for a repository; asks for everything"],
        ["repoman new --from-scan", "one for each repository in repos_root"],
        ["repoman profile list", "what containers can share with this host"],
      ];
  const steps = next.map(([command, does]) => [inOwnWords(command), does] as const);
  const width = Math.max(...steps.map(([command]) => command.length));
  return ["Next:", ...steps.map(([what, does]) => `  ${what.padEnd(width)}  # ${does}`)].join("\n");
}

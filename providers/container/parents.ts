// The directories between a home and the mounts below it. Incus makes missing ones as root's, so
// that a program of the user's could not write beside the mount: `~/.config` for a mount at
// `~/.config/gh`.

import type { IncusClient } from "../../incus/client.ts";
import type { Devices, Instance } from "../../incus/types.ts";
import { MARK } from "../ownership.ts";
import { stopping } from "../stopping.ts";

const EXEC_MS = 30_000;

/** The paths inside at which devices are mounted. */
export function mountPoints(devices: Devices | undefined): string[] {
  return Object.values(devices ?? {}).flatMap((device) =>
    device.type === "disk" && device.path && device.path !== "/" ? [device.path] : [],
  );
}

/** The directories between the home and the mounts below it, nearest the home first. */
export function parentsBelowHome(home: string, targets: string[]): string[] {
  const parents = new Set<string>();
  for (const target of targets) {
    if (!target.startsWith(`${home}/`)) continue;
    const parts = target
      .slice(home.length + 1)
      .split("/")
      .slice(0, -1);
    parts.forEach((_, index) => {
      parents.add([home, ...parts.slice(0, index + 1)].join("/"));
    });
  }
  return [...parents].sort();
}

/** Only builtins and chown; everything that varies comes through the environment. */
const OWN_PARENTS = `
home=
while IFS=: read -r f1 f2 f3 f4 f5 f6 f7; do
  if [ "$f3" = "$RM_UID" ]; then home=$f6; fi
done < /etc/passwd
[ -n "$home" ] && [ "$home" != / ] || exit 0
set -f
IFS='
'
for path in $RM_PATHS; do
  case $path in "$home"/*) ;; *) continue ;; esac
  path=\${path%/*}
  while [ "$path" != "$home" ]; do
    if [ -d "$path" ]; then chown "$RM_UID:$RM_GID" "$path" || :; fi
    path=\${path%/*}
  done
done
`;

/**
 * Makes the parents of mounts that a changed profile has just brought into running containers their
 * users'. Only in containers whose user repoman has made; one that cannot be reached is left to its
 * next start.
 *
 * @param users the profile's `used_by`
 * @param paths at which its devices are mounted
 */
export async function ownParents(
  client: IncusClient,
  users: readonly string[],
  paths: readonly string[],
): Promise<void> {
  const RM_PATHS = paths.filter((path) => !path.includes("\n")).join("\n");
  if (RM_PATHS === "") return;
  await Promise.all(
    users.map(async (url) => {
      const found = /^\/1\.0\/instances\/([^/?]+)(?:\?project=(.*))?$/.exec(url);
      if (!found) return;
      const [name = "", project = "default"] = found
        .slice(1)
        .map((part) => (part === undefined ? undefined : decodeURIComponent(part)));
      try {
        const { value: instance } = await client.getInstance(project, name);
        const user = userOf(instance);
        if (!user || instance.status !== "Running") return;
        await client.exec(project, name, {
          command: ["/bin/sh", "-c", OWN_PARENTS],
          environment: { ...user, RM_PATHS, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
          timeoutMs: EXEC_MS,
          signal: stopping,
        });
      } catch (error) {
        if (stopping.aborted) throw error;
      }
    }),
  );
}

/** For whom repoman made it ready, unless that is root. */
function userOf({ config }: Instance): { RM_UID: string; RM_GID: string } | undefined {
  const [, RM_UID = "0", RM_GID = "0"] = /:(\d+):(\d+)$/.exec(config[MARK.ready] ?? "") ?? [];
  return RM_UID === "0" ? undefined : { RM_UID, RM_GID };
}

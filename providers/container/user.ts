// The person inside the container: made with the name, ids and home of the repository's owner on
// the host, so that files agree on both sides, and proved by writing as that person.

import { Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { stopping } from "../stopping.ts";
import type { ContainerInputs } from "./inputs.ts";
import { parentsBelowHome } from "./parents.ts";

const EXEC_MS = 120_000;

/**
 * Runs as root inside, in any image with a POSIX shell: it uses nothing but builtins and
 * mkdir, mv, cp, chown, chmod. Everything that varies comes through the environment, never through
 * the text of the script.
 *
 * The databases are edited directly because images differ in their tools (useradd, adduser,
 * neither), and because none of those can rename what an image already has on our uid.
 */
const MAKE_USER = `
set -eu
umask 022

# each_line FILE FUNCTION: rewrites FILE, handing each line's fields to FUNCTION, which prints.
each_line() {
  [ -e "$1" ] || return 0
  cp -p "$1" "$1.repoman"
  while IFS= read -r line || [ -n "$line" ]; do
    IFS=: read -r f1 f2 f3 f4 f5 f6 f7 rest <<END
$line
END
    "$2"
  done < "$1" > "$1.repoman"
  mv "$1.repoman" "$1"
}

old_user= old_group= shell=/bin/sh
[ -x /bin/bash ] && shell=/bin/bash

look() {
  [ "$f3" = "$RM_UID" ] && old_user=$f1 && shell=\${f7:-$shell}
  printf '%s\\n' "$line"
}
look_group() {
  [ "$f3" = "$RM_GID" ] && old_group=$f1
  printf '%s\\n' "$line"
}
[ -e /etc/passwd ] || : > /etc/passwd
[ -e /etc/group ] || : > /etc/group
each_line /etc/passwd look
each_line /etc/group look_group

# An image's own user on our uid becomes ours; one of our name on another uid makes room.
passwd() {
  if [ "$f3" = "$RM_UID" ]; then return 0; fi
  if [ "$f1" = "$RM_NAME" ]; then printf '%s-image:%s:%s:%s:%s:%s:%s\\n' "$f1" "$f2" "$f3" "$f4" "$f5" "$f6" "$f7"
  else printf '%s\\n' "$line"; fi
}
shadow() {
  if [ "$f1" = "$old_user" ]; then return 0; fi
  if [ "$f1" = "$RM_NAME" ]; then printf '%s-image:%s\\n' "$f1" "\${line#*:}"
  else printf '%s\\n' "$line"; fi
}
members() {
  out=
  IFS=,
  for m in $1; do
    [ "$m" = "$old_user" ] && m=$RM_NAME
    out=\${out:+$out,}$m
  done
  unset IFS
  printf '%s' "$out"
}
group() {
  if [ "$f3" = "$RM_GID" ]; then return 0; fi
  if [ "$f1" = "$RM_NAME" ]; then f1=$f1-image; fi
  printf '%s:%s:%s:%s\\n' "$f1" "$f2" "$f3" "$(members "$f4")"
}
each_line /etc/passwd passwd
each_line /etc/shadow shadow
each_line /etc/group group
printf '%s:x:%s:%s::%s:%s\\n' "$RM_NAME" "$RM_UID" "$RM_GID" "$RM_HOME" "$shell" >> /etc/passwd
[ -e /etc/shadow ] && printf '%s:*:19000:0:99999:7:::\\n' "$RM_NAME" >> /etc/shadow
# A system group on our gid keeps its name, since programs refer to it.
[ "$old_group" = "$old_user" ] && old_group=
printf '%s:x:%s:\\n' "\${old_group:-$RM_NAME}" "$RM_GID" >> /etc/group

new_home=
[ -d "$RM_HOME" ] || new_home=1
mkdir -p "$RM_HOME"
if [ -n "$new_home" ] && [ -d /etc/skel ]; then
  cp -R /etc/skel/. "$RM_HOME/"
  chown -R "$RM_UID:$RM_GID" "$RM_HOME" 2>/dev/null || :
fi
chown "$RM_UID:$RM_GID" "$RM_HOME"

# Incus makes the missing parents of a mount as root's, and those of one whose source is missing
# when that is there at last, at some later start: then they are here already.
set -f
IFS='
'
for parent in $RM_PARENTS; do
  if [ ! -d "$parent" ]; then mkdir "$parent" || continue; fi
  chown "$RM_UID:$RM_GID" "$parent" || :
done
unset IFS

if [ -d /etc/sudoers.d ]; then
  printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\\n' "$RM_NAME" > /etc/sudoers.d/90-repoman.new
  chmod 0440 /etc/sudoers.d/90-repoman.new
  mv /etc/sudoers.d/90-repoman.new /etc/sudoers.d/90-repoman
fi
`;

/** The value of the mark that says for whom a container was made ready. */
export function readyMark({ user }: Pick<ContainerInputs, "user">): string {
  return `${user.name}:${user.uid}:${user.gid}`;
}

/**
 * Makes the user and proves that it can work in the repository.
 * @param mounts the paths inside at which devices are mounted
 */
export async function makeUser(
  client: IncusClient,
  inputs: ContainerInputs,
  mounts: string[],
): Promise<void> {
  const { project, name, user } = inputs;
  if (user.uid !== 0) {
    const parents = parentsBelowHome(user.home, mounts);
    const made = await client.exec(project, name, {
      command: ["/bin/sh", "-c", MAKE_USER],
      environment: {
        RM_NAME: user.name,
        RM_UID: String(user.uid),
        RM_GID: String(user.gid),
        RM_HOME: user.home,
        // A path may hold a newline; such a parent is left as Incus made it.
        RM_PARENTS: parents.filter((parent) => !parent.includes("\n")).join("\n"),
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      },
      timeoutMs: EXEC_MS,
      signal: stopping,
    });
    if (made.exitCode !== 0) {
      throw new Fault(
        `container "${name}": the user ${user.name} (${user.uid}:${user.gid}) could not be made inside` +
          `: ${lastLine(made.stderr) || `exit code ${made.exitCode}`}`,
        { remedy: "The image needs a POSIX shell at /bin/sh and a writable /etc." },
      );
    }
  }
  await prove(client, inputs);
}

/** Writes nothing: asks the kernel inside who owns the repository and whether the user may write. */
async function prove(client: IncusClient, { project, name, user, path }: ContainerInputs) {
  const proof = await client.exec(project, name, {
    command: ["/bin/sh", "-c", 'test -w "$RM_PATH" && test -O "$RM_PATH"'],
    environment: { RM_PATH: path },
    user: user.uid,
    group: user.gid,
    timeoutMs: EXEC_MS,
    signal: stopping,
  });
  if (proof.exitCode === 0) return;
  throw new Fault(
    `container "${name}": the repository at ${path} is not writable inside for uid ${user.uid}`,
    {
      remedy:
        `Its owner on the host should be ${user.name} (${user.uid}:${user.gid}), and /etc/subuid and ` +
        `/etc/subgid should hold root:${user.uid}:1 and root:${user.gid}:1 (npm start adds them).`,
    },
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

// Files that whoever is at work in a container has left in the repository, and that are more than the
// repository's owner's: root's, a setuid program, or another's whom the owner cannot overrule.

import { ask } from "../../host/child.ts";
import { printable } from "../../registry/text.ts";
import { type Check, type Finding, type Patient, someAtATime } from "./check.ts";
import { some } from "./profiles.ts";

/** For all repositories together. Large ones are not seen to their end then, and it says so. */
const SCAN_MS = 10_000;
const LIMIT_MS = SCAN_MS + 4_000;
const AT_ONCE = 2;
const MOST_OUTPUT = 256 * 1024;

interface Odd {
  uid: number;
  /** Octal, such as `4755`. */
  mode: string;
  isFile: boolean;
  path: string;
}

export const repositories: Check = {
  group: "repositories",
  subject: "repositories",
  limit: LIMIT_MS,
  async look(patient, signal) {
    const deadline = Date.now() + SCAN_MS;
    const enabled = patient.projects.filter((project) => project.enabled);
    const findings = await someAtATime(
      enabled,
      async ({ name, repo }) => {
        const owner = ownerOf(patient, name);
        if (owner === undefined) return [];
        const left = deadline - Date.now();
        const about = { group: "repositories", subject: name } as const;
        if (left < 100) {
          return [
            { ...about, state: "note", what: "not looked at: there was no time left" } as const,
          ];
        }
        return judge(name, repo, owner, await scan(repo, owner, left, signal));
      },
      AT_ONCE,
    );
    return findings.flat();
  },
};

/** The uid that the repository's directory has; undefined where it is not there. */
function ownerOf({ registry, host }: Patient, name: string): number | undefined {
  const index = registry.projects.findIndex((project) => project.name === name);
  const facts = host.repositories[index];
  return facts && "uid" in facts ? facts.uid : undefined;
}

interface Scanned {
  odd: Odd[];
  /** Why it was not seen to its end. */
  cut?: string;
}

/** With find(1), which follows no links and stays in the file system, in a child that can be killed. */
async function scan(
  repo: string,
  owner: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Scanned> {
  const others = ["!", "-uid", String(owner)];
  const setuid = ["-type", "f", "-perm", "/6000"];
  const { code, stdout, timedOut } = await ask(
    ["find", repo, "-xdev", "(", ...others, "-o", ...setuid, ")", "-printf", "%U %m %y %P\\0"],
    { timeoutMs, maxOutput: MOST_OUTPUT, signal },
  );
  const odd = stdout
    .toString("utf8")
    .split("\0")
    .flatMap((entry): Odd[] => {
      const [, uid, mode, type, path] = /^(\d+) (\d+) (\S+) (.*)$/s.exec(entry) ?? [];
      if (uid === undefined || mode === undefined) return [];
      return [{ uid: Number(uid), mode, isFile: type === "f", path: path || "." }];
    });
  if (timedOut)
    return { odd, cut: `it was not seen to its end in ${Math.round(timeoutMs / 1000)} s` };
  if (code === null) return { odd, cut: "there are more than are counted here" };
  // It says so where a folder may not be read, which is then not the owner's either.
  return { odd };
}

/** What a scan means, worst first. */
export function judge(name: string, repo: string, owner: number, scanned: Scanned): Finding[] {
  const { odd, cut } = scanned;
  const about = { group: "repositories", subject: name } as const;
  const place = JSON.stringify(repo);
  const setuid = odd.filter(({ mode, isFile }) => isFile && /^[2-7]\d{3}$/.test(mode));
  const roots = odd.filter(({ uid }) => uid === 0 && owner !== 0);
  const others = odd.filter(({ uid }) => uid !== 0 && uid !== owner);
  const findings: Finding[] = [];
  const tell = (files: Odd[], [one, several]: [string, string], remedy: string) => {
    if (files.length === 0) return;
    const paths = some(
      files.map(({ path }) => printable(path)),
      3,
    );
    const counted = `${files.length}${cut ? " or more" : ""} ${files.length === 1 ? one : several}`;
    findings.push({ ...about, state: "bad", what: `${counted}: ${paths}`, remedy });
  };
  tell(
    setuid,
    [
      "file runs with its owner's rights (setuid or setgid)",
      "files run with their owner's rights (setuid or setgid)",
    ],
    `Look at them, and take that away: sudo find ${place} -xdev -type f -perm /6000 -exec chmod ug-s {} +`,
  );
  tell(
    roots,
    ["file belongs to root of this host", "files belong to root of this host"],
    `Look how they came there, and give them back: sudo chown -R ${owner}: ${place}`,
  );
  tell(
    others,
    [
      `file does not belong to uid ${owner}, perhaps since root inside made it`,
      `files do not belong to uid ${owner}, perhaps since root inside made them`,
    ],
    `Give them back: sudo chown -R ${owner}: ${place}`,
  );
  const end = cut ? `; ${cut}` : "";
  if (findings.length === 0) {
    return [{ ...about, state: cut ? "note" : "good", what: `nothing odd was found${end}` }];
  }
  return findings;
}

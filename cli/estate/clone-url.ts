// A URL to clone from may hold a password or a token. That is for git alone: not for messages, not for
// the list of processes, and not for the config of the clone, which its container sees.

import { EXIT, Fault } from "../../host/fault.js";

export interface CloneUrl {
  /** For git's arguments and for messages. */
  url: string;
  /** What git gets besides, by its environment. */
  variables: NodeJS.ProcessEnv;
}

/** Answers git as gitcredentials(7) says; a constant: what varies is in the environment. */
const HELPER =
  "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' " +
  '"$REPOMAN_CLONE_USER" "$REPOMAN_CLONE_PASSWORD"; }; f';

/**
 * Takes a URL apart. What is not HTTP keeps its user, such as `git@`, and loses a password, which no
 * program would use.
 *
 * @param env whose settings for git stay
 * @throws Fault (usage)
 */
export function cloneUrl(given: string, env: NodeJS.ProcessEnv = {}): CloneUrl {
  const [, scheme = "", authority = "", rest = ""] =
    /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/s.exec(given) ?? [];
  const at = authority.lastIndexOf("@");
  if (at < 0) return { url: given, variables: {} };
  const host = authority.slice(at + 1);
  const [user = "", ...more] = authority.slice(0, at).split(":");
  const isHttp = /^https?:/i.test(scheme);
  const url = `${scheme}${isHttp || user === "" ? "" : `${user}@`}${host}${rest}`;
  if (!isHttp) return { url, variables: {} };
  const username = decoded(user, url);
  const key = `credential.${scheme}${host}`;
  if (more.length === 0) return { url, variables: settings([[`${key}.username`, username]], env) };
  return {
    url,
    variables: {
      // The first empties the list: what was typed goes before what some helper has stored.
      ...settings(
        [
          [`${key}.helper`, ""],
          [`${key}.helper`, HELPER],
        ],
        env,
      ),
      REPOMAN_CLONE_USER: username,
      REPOMAN_CLONE_PASSWORD: decoded(more.join(":"), url),
    },
  };
}

/** Settings of git's own, after those that the environment has already (git-config(1)). */
function settings(list: [key: string, value: string][], env: NodeJS.ProcessEnv) {
  const before = Number(env.GIT_CONFIG_COUNT ?? 0) || 0;
  const variables: NodeJS.ProcessEnv = { GIT_CONFIG_COUNT: String(before + list.length) };
  for (const [index, [key, value]] of list.entries()) {
    variables[`GIT_CONFIG_KEY_${before + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${before + index}`] = value;
  }
  return variables;
}

function decoded(text: string, url: string): string {
  try {
    const plain = decodeURIComponent(text);
    // Each is a line of what git is answered.
    if (!/[\n\r\0]/.test(plain)) return plain;
  } catch {
    // Told below, without the text.
  }
  throw new Fault(`the user or the password for ${url} is not written as in a URL`, {
    remedy: "Leave it out: git asks for it, or its credential helper knows it.",
    exitCode: EXIT.usage,
  });
}

import { isAbsolute, join, normalize, relative } from "node:path";
import { expandHome } from "../host/paths.js";
import type { Rule } from "./rules.ts";

/** `/a/b` for `/a//c/../b/`. */
export function tidy(path: string): string {
  const plain = normalize(path);
  return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
}

/** A path that begins with `/`, `~/` or one of repoman's variables. */
export const absolutePath: Rule = (value) => {
  const wrong = anyPath(value);
  if (wrong) return wrong;
  return /^(\/|~$|~\/|\$\{)/.test(value)
    ? undefined
    : { what: "is not an absolute path", remedy: 'begin it with "/" or "~/"' };
};

/** A path, relative or not. */
export const anyPath: Rule = (value) => {
  if (value.trim() === "")
    return { what: "is empty", remedy: "write a path, or leave the key out" };
  if (value.includes("\0")) return { what: "contains a NUL character", remedy: "remove it" };
  if (/^~[^/]/.test(value)) {
    return {
      what: "begins with another user's home, which repoman does not look up",
      remedy: 'write the path out; "~/" is your own home',
    };
  }
  return undefined;
};

/**
 * @param value a path that `absolutePath` is content with, its variables already replaced
 * @param home what `~` stands for
 */
export function absolute(value: string, home: string): string {
  return tidy(expandHome(value, home));
}

/** Whether `path` is `parent` or lies somewhere below it. Both absolute and tidy. */
export function within(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent === "/" ? "/" : `${parent}/`);
}

/**
 * Where a project's repository lies.
 *
 * @param repo as the registry has it: relative to `root`, absolute, or from `~`
 * @param root absolute path of `repos_root`
 * @returns the absolute path, and the same relative to `root`; `below` is empty for the root itself
 *   and absent where the path leads out of it
 */
export function repository(repo: string, root: string, home: string) {
  const expanded = expandHome(repo, home);
  const path = tidy(isAbsolute(expanded) ? expanded : join(root, expanded));
  return within(path, root) ? { path, below: relative(root, path) } : { path };
}

/** Where a container would be broken by a mount, and why. */
export const mountPoint: Rule = (path) => {
  if (path === "/") {
    return { what: "is the container's own root", remedy: "choose a directory below it" };
  }
  const system = ["/proc", "/sys", "/dev"].find((top) =>
    top === "/dev" ? path === top : within(path, top),
  );
  if (system) {
    return {
      what: `would hide the container's ${system}, without which it does not start`,
      remedy: "choose another directory",
    };
  }
  return undefined;
};

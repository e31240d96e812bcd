import { createHash } from "node:crypto";
import { isAbsolute, join } from "node:path";
import type { Origin } from "./document.ts";
import { absolute, mountPoint, tidy } from "./paths.ts";
import { parsePort, portDevice } from "./port.ts";
import type { Merged } from "./precedence.ts";
import type { Context, Reporter } from "./reporter.ts";
import { substitute, VARIABLES } from "./substitute.ts";
import { quote } from "./text.ts";
import type { Mount, Port } from "./types.ts";

/** The disk device that brings the repository in. */
export const REPOSITORY_DEVICE = "repo";

/**
 * Whether a device brings the repository to its place: one that the registry spells out takes the
 * place of the one that repoman makes, with a name and options of its own.
 */
export function mountsRepository(
  device: Readonly<Record<string, string>> | undefined,
  { repo, path }: { repo: string; path: string },
): boolean {
  const { type, source, path: inside } = device ?? {};
  if (type !== "disk" || source === undefined || inside === undefined) return false;
  return tidy(source) === repo && tidy(join("/", inside)) === path;
}

/**
 * The name of a mount's disk device: made of its path, so that it is the same wherever the mount
 * stands in the list, and of a digest where the path alone would not do.
 */
export function mountDevice(path: string): string {
  const plain = path.slice(1).replace(/[^A-Za-z0-9._]+/g, "-");
  const same = plain === path.slice(1).replaceAll("/", "-") && plain.length <= 50;
  if (same && !path.slice(1).includes("-")) return `mount-${plain}`;
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 8);
  return `mount-${plain.slice(0, 40)}-${digest}`;
}

/**
 * Replaces the variables in a setting, and says which of them mean nothing here.
 *
 * @param label how messages name the setting
 */
export function expand(
  value: string,
  origin: Origin,
  label: string,
  context: Context,
  report: Reporter,
): string {
  if (!value.includes("${")) return value;
  const { text, unknown, empty } = substitute(value, context.facts);
  for (const name of unknown) {
    report.warn(
      origin,
      `${label} has \${${name}}, which repoman does not know and leaves as it is`,
      `write it out, or use one of ${VARIABLES.map((each) => `\${${each}}`).join(", ")}`,
    );
  }
  for (const name of empty) {
    report.warn(
      origin,
      `${label} has \${${name}}, which is empty on this host`,
      "`repoman setup` finds it; or set lan_ip in [host]",
    );
  }
  return text;
}

/** A path of the host or the container, from how it was written; nothing if there is no sense in it. */
export function place(
  value: string,
  origin: Origin,
  label: string,
  context: Context,
  report: Reporter,
): string | undefined {
  const path = absolute(expand(value, origin, label, context, report), context.facts.home);
  if (isAbsolute(path)) return path;
  report.problem(origin, `${label} ${quote(value)} is not an absolute path`, 'begin it with "/"');
  return undefined;
}

/** The mounts that are whole; what is wrong with the others was or is reported. */
export function resolveMounts({ data, origin }: Merged, context: Context, report: Reporter) {
  const mounts: Mount[] = [];
  const mountOrigins: Origin[] = [];
  data.mount?.forEach((mount, index) => {
    if (mount?.source === undefined || mount.path === undefined) return;
    const at = (key: string) => origin("mount", index, key);
    const source = place(mount.source, at("source"), "mount source", context, report);
    const path = place(mount.path, at("path"), "mount path", context, report);
    if (source === undefined || path === undefined) return;
    const wrong = mountPoint(path);
    if (wrong) {
      report.problem(at("path"), `mount path ${quote(path)} ${wrong.what}`, wrong.remedy);
      return;
    }
    mountOrigins.push(at("path"));
    mounts.push({
      device: mountDevice(path),
      source,
      path,
      readonly: mount.readonly ?? false,
      optional: mount.optional ?? false,
    });
  });
  return { mounts, mountOrigins };
}

/** The ports that can be read. */
export function resolvePorts({ data, origin }: Merged) {
  const ports: Port[] = [];
  const portOrigins: Origin[] = [];
  data.ports?.forEach((written, index) => {
    const port = written === undefined ? undefined : parsePort(String(written));
    if (!port) return;
    portOrigins.push(origin("ports", index));
    ports.push({ device: portDevice(port), ...port });
  });
  return { ports, portOrigins };
}

import { expandHome } from "../host/paths.js";
import { expand } from "./mounts.ts";
import { listeners } from "./port.ts";
import type { Merged } from "./precedence.ts";
import type { Context, Reporter } from "./reporter.ts";
import * as rules from "./rules.ts";
import { quote } from "./text.ts";

/** Environment variables by name. */
export function resolveEnv(
  { env }: Merged,
  context: Context,
  report: Reporter,
): Record<string, string> {
  const result: [string, string][] = [];
  for (const [name, { value: written, origin }] of env) {
    const value = expand(written, origin, `env ${name}`, context, report);
    // Those of [env] passed the schema; those that were written as config did not.
    const wrong = rules.envName(name) ?? rules.envValue(value);
    if (wrong && origin.path.includes("config")) {
      report.problem(origin, `environment variable ${quote(name)} ${wrong.what}`, wrong.remedy);
    } else if (value === "") {
      report.warn(
        origin,
        `env ${name} is empty, and Incus keeps no empty variables`,
        "give it a value, or remove it",
      );
    } else result.push([name, value]);
  }
  return sorted(result);
}

/** Config keys, dotted, with values as Incus keeps them. */
export function resolveConfig({ config }: Merged, report: Reporter): Record<string, string> {
  const result: [string, string][] = [];
  for (const [key, { value, origin }] of config) {
    const wrongKey = rules.configKey(key);
    const wrongValue = rules.text(value);
    if (wrongKey) {
      report.problem(origin, `config key ${quote(key)} ${wrongKey.what}`, wrongKey.remedy, "key");
    } else if (wrongValue) {
      report.problem(origin, `config ${key} ${wrongValue.what}`, wrongValue.remedy);
    } else if (value !== "") result.push([key, value]);
    if (key === "security.privileged" && isTrue(value)) {
      report.warn(
        origin,
        "security.privileged makes root inside root on the host: the container protects nothing",
        "remove it; security.nesting and an id map serve nearly everything that it is set for",
      );
    }
  }
  return sorted(result);
}

/** Why `shift` on a device is warned of. */
export const SHIFT = {
  because: "with which root inside can leave files on the host that are root's there",
  remedy: "remove it: the container's id map already gives files their owner",
};

/** Devices by name, each with its type. */
export function resolveDevices(
  { devices }: Merged,
  context: Context,
  report: Reporter,
): Record<string, Record<string, string>> {
  const result: [string, Record<string, string>][] = [];
  for (const [name, { origin, options }] of devices) {
    const device: [string, string][] = [];
    const disk = options.get("type")?.value === "disk";
    for (const [key, { value: written, origin: at }] of options) {
      const value = expand(written, at, `device ${name} ${key}`, context, report);
      const wrong = rules.text(value);
      if (wrong) report.problem(at, `device ${name} ${key} ${wrong.what}`, wrong.remedy);
      else if (disk && value !== "" && (key === "source" || key === "path")) {
        device.push([key, expandHome(value, context.facts.home)]);
      } else if (value !== "") device.push([key, value]);
    }
    const type = options.get("type");
    const wrong = type && rules.deviceType(type.value);
    if (!type) {
      report.problem(origin, `device ${name} has no type`, 'add type = "disk", "nic", …', "key");
    } else if (wrong) {
      report.problem(
        type.origin,
        `device ${name} type ${quote(type.value)} ${wrong.what}`,
        wrong.remedy,
      );
    }
    const shift = options.get("shift");
    if (shift && isTrue(shift.value)) {
      report.warn(shift.origin, `device ${name} has shift, ${SHIFT.because}`, SHIFT.remedy);
    }
    result.push([name, sorted(device)]);
  }
  return sorted(result);
}

/** What the devices of a project listen on at the host, with the place of each. */
export function deviceListeners({ devices }: Merged) {
  return [...devices].flatMap(([name, { options }]) => {
    const listen = options.get("listen");
    const inside = /^(instance|container|guest)$/.test(options.get("bind")?.value ?? "");
    if (options.get("type")?.value !== "proxy" || inside || !listen) return [];
    return listeners(listen.value).map((listener) => ({ name, listener, origin: listen.origin }));
  });
}

export const isTrue = (value: string): boolean => /^(true|1|yes|on)$/i.test(value);

/** In one order, whatever the order in the file: what did not change must not look changed. */
export function sorted<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

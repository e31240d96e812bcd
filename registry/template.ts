import { basename } from "node:path";
import { expandHome } from "../host/paths.js";
import { check, type Loose } from "./check.ts";
import type { Document } from "./document.ts";
import { type Finding, type Findings, origin } from "./findings.ts";
import type { Path } from "./locate.ts";
import { type ProfileFile, profileSchema } from "./profile-schema.ts";
import * as rules from "./rules.ts";
import { isTrue, SHIFT, sorted } from "./settings.ts";
import { type Facts, substitute, VARIABLES } from "./substitute.ts";
import { quote } from "./text.ts";
import type { Template } from "./types.ts";
import { parseYaml } from "./yaml.ts";

/** A profile while it is read. */
interface Reading {
  document: Document;
  name: string;
  facts: Facts;
  findings: Findings;
  unresolved: Set<string>;
  unusable: Finding[];
}

/** The profile that a file is about: its name without the ending. */
export function profileOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/, "");
}

/**
 * Reads one profile.
 *
 * @param file absolute path; its name is the profile's
 * @param findings takes problems of the file, and warnings
 * @returns the profile, and why it cannot be used on this host, if so
 */
export function readTemplate(
  file: string,
  text: string,
  source: "vendor" | "user",
  facts: Facts,
  findings: Findings,
): { template: Template; unusable: Finding[] } {
  const name = profileOf(file);
  const document = parseYaml(file, text, name, findings);
  const reading = { document, name, facts, findings, unresolved: new Set<string>(), unusable: [] };
  // A key without a value reads as an empty string, and means an empty table.
  for (const key of ["config", "devices"]) {
    if (document.data[key] === "") delete document.data[key];
  }
  const data = check(profileSchema, document, findings);
  checkName(reading, data.name);
  const template: Template = {
    name,
    description: expand(reading, data.description?.trim() ?? "", ["description"]),
    config: configOf(reading, data.config ?? {}),
    devices: devicesOf(reading, data.devices ?? {}),
    file,
    source,
    shadows: false,
    unresolved: [...reading.unresolved],
  };
  return { template, unusable: reading.unusable };
}

function finding({ document, name }: Reading, path: Path, what: string, remedy: string): Finding {
  const subject = `profile ${quote(name)}: `;
  return { origin: origin(document, ...path), at: "value", what: subject + what, remedy };
}

function checkName(reading: Reading, inside: string | undefined): void {
  const { name, findings } = reading;
  const wrong = rules.profileName(name);
  if (wrong) {
    const remedy = `rename the file: ${wrong.remedy}`;
    findings.add(finding(reading, [], `its name ${wrong.what}`, remedy));
  }
  if (name === "default") {
    const what = "the server has a profile of this name of its own, which repoman leaves alone";
    findings.add(finding(reading, [], what, "rename the file"));
  }
  if (inside !== undefined && inside !== name) {
    const remedy = `write name: ${name}, or rename the file`;
    findings.add(finding(reading, ["name"], `it calls itself ${quote(inside)}`, remedy));
  }
}

/** Replaces variables, and notes which of them mean nothing here. */
function expand(reading: Reading, value: string, path: Path): string {
  const { facts, findings, unresolved, unusable } = reading;
  const { text, unknown, empty } = substitute(value, facts);
  for (const variable of unknown) {
    if (unresolved.has(variable)) continue;
    unresolved.add(variable);
    const known = VARIABLES.map((each) => `\${${each}}`).join(", ");
    const what = `repoman does not know \${${variable}} and leaves it as it is`;
    findings.warn(finding(reading, path, what, `write it out, or use one of ${known}`));
  }
  for (const variable of empty) {
    const remedy = "`repoman setup` finds it; or set lan_ip in [host] of the registry";
    unusable.push(finding(reading, path, `\${${variable}} is empty on this host`, remedy));
  }
  return text;
}

function configOf(reading: Reading, config: Loose<ProfileFile["config"] & {}>) {
  const result: [string, string][] = [];
  for (const [key, written] of Object.entries(config)) {
    const path = ["config", key];
    const value = expand(reading, written ?? "", path);
    const wrongKey = rules.configKey(key);
    const wrong = key.startsWith("environment.") ? rules.envValue(value) : rules.text(value);
    if (wrongKey) {
      const what = `config key ${quote(key)} ${wrongKey.what}`;
      reading.findings.add({ ...finding(reading, path, what, wrongKey.remedy), at: "key" });
    } else if (wrong) {
      reading.findings.add(finding(reading, path, `config ${key} ${wrong.what}`, wrong.remedy));
    } else if (value !== "") result.push([key, value]);
  }
  return sorted(result);
}

function devicesOf(reading: Reading, devices: Loose<ProfileFile["devices"] & {}>) {
  const { findings, facts } = reading;
  const result: [string, Record<string, string>][] = [];
  for (const [device, written = {}] of Object.entries(devices)) {
    const path = ["devices", device];
    const options: [string, string][] = [];
    for (const [key, raw] of Object.entries(written)) {
      const value = expand(reading, raw ?? "", [...path, key]);
      const place = written.type === "disk" && (key === "source" || key === "path");
      if (value !== "") options.push([key, place ? expandHome(value, facts.home) : value]);
    }
    const { type, shift = "" } = written;
    const wrong = type === undefined ? undefined : rules.deviceType(type);
    if (type === undefined) {
      const what = `device ${device} has no type`;
      findings.add({ ...finding(reading, path, what, "add type: disk, nic, …"), at: "key" });
    } else if (wrong) {
      const what = `device ${device} type ${quote(type)} ${wrong.what}`;
      findings.add(finding(reading, [...path, "type"], what, wrong.remedy));
    }
    if (isTrue(shift)) {
      const what = `device ${device} has shift, ${SHIFT.because}`;
      findings.warn(finding(reading, [...path, "shift"], what, SHIFT.remedy));
    }
    result.push([device, sorted(options)]);
  }
  return sorted(result);
}

import { basename } from "node:path";
import { isCollection, isMap, isPair, LineCounter, type Node, parseDocument } from "yaml";
import { expandHome } from "../host/paths.js";
import { check } from "./check.ts";
import type { Document } from "./document.ts";
import { type Findings, origin } from "./findings.ts";
import type { Locator, Path, Position } from "./locate.ts";
import * as rules from "./rules.ts";
import { profileSchema } from "./schema.ts";
import { isTrue, sorted } from "./settings.ts";
import { type Facts, substitute, VARIABLES } from "./substitute.ts";
import { printable, quote } from "./text.ts";
import type { Template } from "./types.ts";

/** What a profile's file gave. */
export interface TemplateReading {
  template: Template;
  /** Why it cannot be used on this host; problems of the file itself are in `problems`. */
  unusable: Findings["warnings"];
}

/** The profile that a file is about: its name without the ending. */
export function profileOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/, "");
}

/**
 * Reads one profile. Scalars are strings, as they are written: Incus keeps nothing else.
 *
 * @param file absolute path; its name is the profile's
 * @param findings takes problems of the file, and warnings
 */
export function readTemplate(
  file: string,
  text: string,
  source: "vendor" | "user",
  facts: Facts,
  findings: Findings,
): TemplateReading {
  const name = profileOf(file);
  const document = parseYaml(file, text, findings);
  const subject = `profile ${quote(name)}: `;
  const problem = (path: Path, what: string, remedy: string, at: "key" | "value" = "value") =>
    findings.add({ origin: origin(document, ...path), at, what: subject + what, remedy });

  const wrongName = rules.profileName(name);
  if (wrongName) problem([], `its name ${wrongName.what}`, `rename the file: ${wrongName.remedy}`);
  if (name === "default") {
    problem([], "Incus's own profile of this name is never managed", "rename the file");
  }
  const data = check(profileSchema, document, findings);
  if (data.name !== undefined && data.name !== name) {
    problem(
      ["name"],
      `it calls itself ${quote(data.name)}`,
      `write name: ${name}, or rename the file`,
    );
  }

  const unresolved = new Set<string>();
  const unusable: Findings["warnings"] = [];
  const expand = (value: string, path: Path): string => {
    const { text, unknown, empty } = substitute(value, facts);
    for (const variable of unknown) {
      if (!unresolved.has(variable)) {
        findings.warn({
          origin: origin(document, ...path),
          at: "value",
          what: `${subject}repoman does not know \${${variable}} and leaves it as it is`,
          remedy: `write it out, or use one of ${VARIABLES.map((each) => `\${${each}}`).join(", ")}`,
        });
      }
      unresolved.add(variable);
    }
    for (const variable of empty) {
      unusable.push({
        origin: origin(document, ...path),
        at: "value",
        what: `${subject}\${${variable}} is empty on this host`,
        remedy: "set lan_ip in [host] of the registry, or run `repoman setup`",
      });
    }
    return text;
  };

  const config: [string, string][] = [];
  for (const [key, written] of Object.entries(data.config ?? {})) {
    if (written === undefined) continue;
    const value = expand(written, ["config", key]);
    const wrongKey = rules.configKey(key);
    const wrongValue = key.startsWith("environment.") ? rules.envValue(value) : rules.text(value);
    if (wrongKey) {
      problem(["config", key], `config key ${quote(key)} ${wrongKey.what}`, wrongKey.remedy, "key");
    } else if (wrongValue) {
      problem(["config", key], `config ${key} ${wrongValue.what}`, wrongValue.remedy);
    } else if (value !== "") config.push([key, value]);
  }

  const devices: [string, Record<string, string>][] = [];
  for (const [device, written] of Object.entries(data.devices ?? {})) {
    const path = ["devices", device];
    const options: [string, string][] = [];
    for (const [key, raw] of Object.entries(written ?? {})) {
      const value = raw === undefined ? "" : expand(raw, [...path, key]);
      const place = written?.type === "disk" && (key === "source" || key === "path");
      if (value !== "") options.push([key, place ? expandHome(value, facts.home) : value]);
    }
    const type = written?.type;
    const wrong = type === undefined ? undefined : rules.deviceType(type);
    if (type === undefined) {
      problem(path, `device ${device} has no type`, "add type: disk, nic, …", "key");
    } else if (wrong) {
      problem(
        [...path, "type"],
        `device ${device} type ${quote(type)} ${wrong.what}`,
        wrong.remedy,
      );
    }
    if (isTrue(written?.shift ?? "")) {
      findings.warn({
        origin: origin(document, ...path, "shift"),
        at: "key",
        what: `${subject}device ${device} has shift, with which root inside can leave root's files on the host`,
        remedy: "remove it: the container's id map already gives files their owner",
      });
    }
    devices.push([device, sorted(options)]);
  }
  const template: Template = {
    name,
    description: expand(data.description?.trim() ?? "", ["description"]),
    config: sorted(config),
    devices: sorted(devices),
    file,
    source,
    shadows: false,
    unresolved: [...unresolved],
  };
  return { template, unusable };
}

/** Reads YAML, every scalar as a string, and reports what cannot be read. */
function parseYaml(file: string, text: string, findings: Findings): Document {
  const lines = new LineCounter();
  const parsed = parseDocument(text, {
    schema: "failsafe",
    lineCounter: lines,
    prettyErrors: false,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const unreadable = (position: Position, what: string) =>
    findings.addLocated({ file, ...position, what, remedy: "mend this line" });
  for (const error of parsed.errors) {
    unreadable(at(error.pos[0]), `not YAML here: ${printable(error.message)}`);
  }
  let data: unknown = {};
  if (parsed.errors.length === 0) {
    try {
      data = parsed.toJS({ maxAliasCount: 100 }) ?? {};
    } catch (error) {
      unreadable({ line: 1, column: 1 }, printable(String((error as Error).message)));
    }
  }
  if (typeof data !== "object" || Array.isArray(data)) {
    unreadable({ line: 1, column: 1 }, "is no profile: a table of config and devices is wanted");
    data = {};
  }
  // A key without a value is an empty table here, not an empty string.
  const table = data as Record<string, unknown>;
  for (const key of ["config", "devices"]) if (table[key] === "") delete table[key];
  return {
    file,
    data: table,
    syntax: [],
    incomplete: false,
    locator: async () => yamlLocator(parsed.contents, at),
  };
}

function yamlLocator(top: unknown, at: (offset: number) => Position): Locator {
  return (path, where) => {
    let node: unknown = top;
    let position: Position = { line: 1, column: 1 };
    for (const [index, part] of path.entries()) {
      if (!isMap(node)) return position;
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (!isPair(pair)) return position;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      const last = index === path.length - 1;
      const wanted = last && where === "value" && value && !isCollection(value) ? value : key;
      position = at(wanted.range?.[0] ?? 0);
      node = value;
    }
    return position;
  };
}

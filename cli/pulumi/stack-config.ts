// `Pulumi.<stack>.yaml`: a stack's settings, beside the encryption salt that Pulumi keeps there.
// People edit it and so does Pulumi: comments, order and whatever is not ours stay.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isMap, parseDocument } from "yaml";
import { Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { isStackId } from "../../providers/ownership.ts";
import { quote } from "../../registry/text.ts";

const NAMESPACE = "repoman";

/** The settings that the command line itself reads; all others are the program's. */
export interface StackConfig {
  stackId?: string;
  /** The registry file, absolute. */
  registry?: string;
  remote?: string;
  /** `referenced`, `all`, or names of profiles: a JSON list, or with commas between. */
  profiles?: string;
  /** Whether containers are restarted where a change needs it; for comparing with what is declared. */
  restart?: boolean;
}

export function stackConfigFile(root: string, stack: string): string {
  return join(root, `Pulumi.${stack}.yaml`);
}

/**
 * @returns an empty config where there is no file
 * @throws Fault for a file that is not YAML, with the place; for an id that cannot be one
 */
export async function readStackConfig(file: string): Promise<StackConfig> {
  const document = await load(file);
  const config: StackConfig = {};
  for (const key of ["stackId", "registry", "remote", "profiles"] as const) {
    const value = document.getIn(["config", `${NAMESPACE}:${key}`]);
    if (value === undefined || value === null || value === "") continue;
    if (typeof value === "object") {
      throw new Fault(`${file}: ${NAMESPACE}:${key} is not a plain string`, {
        remedy: "It is no secret, and is written without `secure:` or structure.",
      });
    }
    config[key] = String(value);
  }
  if (config.stackId !== undefined) requireStackId(config.stackId, file);
  const restart = document.getIn(["config", `${NAMESPACE}:restart`]);
  if (restart !== undefined) config.restart = String(restart) === "true";
  return config;
}

/** @throws Fault for a text that cannot be a stack's id, naming where it was found */
export function requireStackId(id: string, ...files: string[]): void {
  if (isStackId(id)) return;
  throw new Fault(`${quote(id)} is not an id of a stack`, {
    remedy: `It has 8 to 64 letters, digits and hyphens. See ${files.join(" and ")}.`,
  });
}

/** Sets values; the file is made where it is absent and left untouched where nothing changes. */
export async function writeStackConfig(file: string, values: StackConfig): Promise<void> {
  const document = await load(file);
  let changed = false;
  for (const [key, value] of Object.entries(values)) {
    const path = ["config", `${NAMESPACE}:${key}`];
    if (value === undefined || document.getIn(path) === value) continue;
    document.setIn(path, value);
    changed = true;
  }
  // A long line is not folded: `pulumi` reads it, but people grep for it.
  if (changed) await writeFileAtomic(file, document.toString({ lineWidth: 0 }));
}

async function load(file: string): Promise<Document> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    const place = error.linePos ? `:${error.linePos[0].line}:${error.linePos[0].col}` : "";
    throw new Fault(
      `${file}${place}: ${error.message.split("\n", 1)[0]?.replace(/ at line \d+.*$/, "")}`,
      {
        remedy:
          "Mend the YAML: a setting is a line such as `repoman:remote: nas`, indented below `config:`.",
      },
    );
  }
  if (document.contents !== null && !isMap(document.contents)) {
    throw new Fault(`${file} is not a map of settings`, {
      remedy: "It should begin with `config:`; Pulumi makes the file anew when it is moved away.",
    });
  }
  // Written as a bare `config:`, it is null, which nothing can be added to.
  if (document.has("config") && document.get("config") === undefined) document.delete("config");
  return document;
}

import * as z from "zod";
import type { Document } from "./document.ts";
import { type Findings, origin } from "./findings.ts";
import type { Path } from "./locate.ts";
import { nearest, quote } from "./text.ts";

type Issue = z.core.$ZodIssue;

/** What passed the schema: any part may be missing, since what is wrong was reported and left out. */
export type Loose<T> = T extends Date | bigint
  ? T
  : T extends (infer E)[]
    ? (Loose<E> | undefined)[]
    : T extends object
      ? { [K in keyof T]?: Loose<T[K]> | undefined }
      : T;

const FLAG = "must be true or false";

/** Keys that people know from elsewhere, and what became of them. */
const ELSEWHERE: Record<string, string> = {
  llm: "remove it: schema 3 keeps only the address, as lan_ip in [host]",
  limits: 'Incus keys go into the table "config" of the project',
  security: 'Incus keys go into the table "config" of the project',
  raw: 'Incus keys go into the table "config" of the project',
  boot: 'Incus keys go into the table "config" of the project',
  environment: 'variables go into the table "env" of the project',
};

/**
 * Holds a document against its schema and reports everything that does not fit.
 *
 * @returns the same data without what was reported, so that the rest can be checked further
 */
export function check<T>(schema: z.ZodType<T>, document: Document, findings: Findings): Loose<T> {
  const result = schema.safeParse(document.data);
  for (const issue of result.error?.issues ?? []) report(issue, schema, document, findings);
  for (const issue of result.error?.issues ?? []) prune(document.data, deepest(issue));
  return document.data as Loose<T>;
}

function report(whole: Issue, schema: z.ZodType, document: Document, findings: Findings): void {
  const issue = deepest(whole);
  const path = issue.path as Path;
  const unknown = issue.code === "unrecognized_keys" ? [""] : [];
  const { subject, project, field } = describe(document, [...path, ...unknown]);
  const add = (at: "key" | "value", where: Path, what: string, remedy: string) =>
    findings.add({
      origin: origin(document, ...where),
      at,
      what: `${subject}${what}`,
      remedy,
      project,
    });
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    for (const key of issue.keys) {
      add("key", [...path, key], `unknown key ${quote(key)}`, hint(key, known, document, path));
    }
    return;
  }
  const value = valueAt(document.data, path);
  if (issue.code === "invalid_key") {
    const [inner] = issue.issues;
    const key = quote(path.at(-1));
    add(
      "key",
      path,
      `${describe(document, path.slice(0, -1)).field} ${key} ${inner?.message}`,
      remedyOf(inner),
    );
  } else if (issue.code === "custom" && remedyOf(issue)) {
    add("value", path, `${field} ${quote(value)} ${issue.message}`, remedyOf(issue));
  } else if (value === undefined) {
    add("key", path, `${field} is missing`, `add ${String(path.at(-1))} = …`);
  } else {
    const { must, remedy } = wanted(issue, path, value);
    add("value", path, `${field} ${must}, not ${kind(value)}`, remedy);
  }
}

/** In a union the branch that went furthest is the one that was meant. */
function deepest(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = (issue.errors as Issue[][])
    .flat()
    .map((each) => ({ ...each, path: [...issue.path, ...each.path] }) as Issue)
    .filter((each) => each.code !== "invalid_type" || each.path.length > issue.path.length)
    .map(deepest)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return inner ?? issue;
}

const remedyOf = (issue: Issue | undefined): string =>
  issue?.code === "custom" ? String(issue.params?.remedy ?? "") : "";

/** How the object and the field at a path are named in messages. */
export function describe(document: Document, path: Path) {
  if (document.project !== undefined) {
    return { ...project(document.project), field: label(path) };
  }
  if (document.profile !== undefined) {
    const subject = `profile ${quote(document.profile)}: `;
    return { subject, project: undefined, field: label(path) };
  }
  const [top, index] = path;
  if (top === "project" && typeof index === "number") {
    const name = valueAt(document.data, ["project", index, "name"]);
    return typeof name === "string"
      ? { ...project(name), field: label(path.slice(2)) }
      : { subject: `project ${index + 1}: `, project: undefined, field: label(path.slice(2)) };
  }
  return path.length > 1
    ? { subject: `[${top}]: `, project: undefined, field: label(path.slice(1)) }
    : { subject: "", project: undefined, field: label(path) };
}

const project = (name: string) => ({ subject: `project ${quote(name)}: `, project: name });

/** `mount source`, `env FOO`, `config limits.memory`: indices are left to the line number. */
function label(path: Path): string {
  const [field, ...rest] = path.filter((part) => typeof part === "string");
  if (field === undefined) return "it";
  const tail = rest.join(field === "config" || field === "env" ? "." : " ");
  return tail ? `${field} ${/^[\w.-]+( [\w.-]+)*$/.test(tail) ? tail : quote(tail)}` : field;
}

function kind(value: unknown): string {
  if (value instanceof Date) return "a date";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a table";
  return typeof value === "string" ? quote(value) : String(value);
}

/** What a value must be, and how to write it so. */
function wanted(issue: Issue, path: Path, value: unknown): { must: string; remedy: string } {
  const key = String(path.findLast((part) => typeof part === "string") ?? "it");
  const simple = ["string", "number", "boolean", "bigint"].includes(typeof value);
  if (issue.code !== "invalid_type") {
    if (issue.message === FLAG) {
      return { must: FLAG, remedy: `write ${key} = true or ${key} = false` };
    }
    return { must: issue.message, remedy: `write ${key} as a plain value` };
  }
  switch (issue.expected) {
    case "string":
      return {
        must: "must be a string",
        remedy: simple ? `put it in quotes: "${value}"` : "write one string in quotes",
      };
    case "boolean":
      return { must: "must be true or false", remedy: `write ${key} = true or ${key} = false` };
    case "number":
      return { must: "must be a number", remedy: "write it without quotes" };
    case "array":
      if (key === "project" || key === "mount") {
        return {
          must: "must be a list of tables",
          remedy: `begin each with two brackets: [[${path.filter((p) => typeof p === "string").join(".")}]]`,
        };
      }
      return {
        must: "must be a list",
        remedy: simple ? `put it in brackets: ${key} = [${quote(value)}]` : "put it in brackets",
      };
    default:
      return {
        must: "must be a table",
        remedy: `write it as a table: [${path.filter((p) => typeof p === "string").join(".")}]`,
      };
  }
}

function hint(key: string, known: string[], document: Document, path: Path): string {
  const near = nearest(key, known);
  if (near) return `did you mean ${quote(near)}?`;
  const inProject = document.project !== undefined || path[0] === "project";
  if (document.project !== undefined && ["name", "repo", "created", "last_sync"].includes(key)) {
    return "this belongs to the project's entry in repoman.toml; an override cannot change it";
  }
  if (Object.hasOwn(ELSEWHERE, key) && (inProject || key === "llm")) return ELSEWHERE[key] ?? "";
  return known.length > 0 ? `known here: ${known.join(", ")}` : "remove it";
}

/** The keys that a schema knows at a path. */
export function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((each) => keysAt(each, path));
  const [first, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (first === undefined) return Object.keys(schema.shape);
    const inner = schema.shape[first];
    return inner ? keysAt(inner, rest) : [];
  }
  if (first === undefined) return [];
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  return [];
}

/** What stands at a path, if anything. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function prune(data: unknown, issue: Issue): void {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    const parent = valueAt(data, path) as Record<string, unknown>;
    for (const key of issue.keys) delete parent[key];
    return;
  }
  const last = path.at(-1);
  const parent = valueAt(data, path.slice(0, -1)) as Record<string | number, unknown> | undefined;
  if (!parent || last === undefined) return;
  // A project keeps its name, good or bad: others refer to it.
  if (last === "name" && path[0] === "project" && typeof parent[last] === "string") return;
  // Indices stay what they are in the file.
  if (Array.isArray(parent)) (parent as unknown[])[last as number] = undefined;
  else delete parent[last];
}

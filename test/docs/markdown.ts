// The documents, as far as the tests look at them: code blocks, code spans, headings and links.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** A fenced code block. */
export interface Block {
  /** The first word after the fence: `console`, `toml`, `yaml`, … */
  language: string;
  /** `file=…` of the same line: where a reader is told to put it. */
  file: string | undefined;
  text: string;
  /** 1-based, of the fence. */
  line: number;
  /** The heading that it stands below. */
  heading: string;
}

export interface Document {
  /** Relative to the project. */
  name: string;
  lines: string[];
  blocks: Block[];
  headings: string[];
  /** Code spans of the prose, without those of headings that are quotations. */
  spans: { text: string; line: number }[];
  links: { target: string; line: number }[];
}

/** A command of a `console` block, and what follows it. */
export interface Invocation {
  /** Without the `$ ` and a comment at its end. */
  command: string;
  /** 0, or what a comment says: `# exits 1`. */
  exitCode: number;
  output: string[];
  /** 1-based. */
  line: number;
  heading: string;
}

/** README and all of docs/, in the order in which they are read. */
export function documents(): Document[] {
  const folder = join(ROOT, "docs");
  const names = readdirSync(folder).filter((name) => name.endsWith(".md"));
  return [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...names.map((name) => `docs/${name}`),
  ].map(readDocument);
}

export function readDocument(name: string): Document {
  const lines = readFileSync(join(ROOT, name), "utf8").split("\n");
  const document: Document = { name, lines, blocks: [], headings: [], spans: [], links: [] };
  let open: Block | undefined;
  const prose: { text: string; line: number }[] = [];
  lines.forEach((text, index) => {
    const line = index + 1;
    const fence = /^ {0,3}```(.*)$/.exec(text);
    if (fence && open) {
      document.blocks.push(open);
      open = undefined;
    } else if (fence) {
      const [language = "", ...rest] = (fence[1] ?? "").trim().split(/\s+/);
      const file = rest.find((word) => word.startsWith("file="))?.slice("file=".length);
      open = { language, file, text: "", line, heading: document.headings.at(-1) ?? "" };
    } else if (open) {
      open.text += `${text}\n`;
    } else {
      const heading = /^#+ (.+)$/.exec(text)?.[1];
      if (heading !== undefined) document.headings.push(heading);
      prose.push({ text, line });
    }
  });
  if (open) throw new Error(`${name}:${open.line}: this block has no end`);
  // A span may go over the end of a line.
  const joined = prose.map(({ text }) => text).join("\n");
  const lineAt = (offset: number) =>
    prose[joined.slice(0, offset).split("\n").length - 1]?.line ?? 0;
  for (const match of joined.matchAll(/`([^`]+)`/g)) {
    const text = (match[1] ?? "").replace(/\s+/g, " ").trim();
    document.spans.push({ text, line: lineAt(match.index) });
  }
  for (const match of joined.matchAll(/\]\(([^)\s]+)\)/g)) {
    document.links.push({ target: match[1] ?? "", line: lineAt(match.index) });
  }
  return document;
}

/** The commands of a document's `console` blocks, in order. */
export function invocations(document: Document): Invocation[] {
  return document.blocks
    .filter(({ language }) => language === "console")
    .flatMap(({ text, line, heading, language }) => {
      const found: Invocation[] = [];
      text
        .split("\n")
        .slice(0, -1)
        .forEach((each, index) => {
          if (each.startsWith("$ ")) {
            const [, command = "", comment = ""] = /^\$ (.*?)(?: +# (.*))?$/.exec(each) ?? [];
            const exitCode = Number(/^exits (\d)/.exec(comment)?.[1] ?? 0);
            found.push({ command, exitCode, output: [], line: line + 1 + index, heading });
          } else if (found.length > 0) found.at(-1)?.output.push(each);
          else throw new Error(`${document.name}:${line}: a ${language} block begins with "$ "`);
        });
      return found;
    });
}

/** The anchor that a heading gets where Markdown is shown. */
export function anchor(heading: string): string {
  return heading
    .replace(/`/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

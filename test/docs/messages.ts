// Everything that the code could say: its strings and templates, with what is filled in left open.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "./markdown.ts";

const FOLDERS = ["cli", "survey", "registry", "incus", "rsync", "providers", "tools", "host"];

/** Stands for what is filled in. */
const HOLE = "\u0000";

let lines: string[] | undefined;

/** Whether some message has this line, whatever is filled into it. */
export function saidSomewhere(line: string): boolean {
  lines ??= allLines();
  const wanted = line.replace(/^(?:error|warning): /, "").trim();
  return lines.some((each) => {
    // A template that is next to nothing but holes fits everything.
    const literal = each.replaceAll(HOLE, "").length;
    return literal >= 12 && literal >= wanted.length * 0.25 && matches(each, wanted);
  });
}

function matches(template: string, text: string): boolean {
  const parts = template.split(HOLE).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+?")}\\.?$`).test(text);
}

function allLines(): string[] {
  const found = new Set<string>();
  for (const folder of FOLDERS) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!/\.[tj]s$/.test(file)) continue;
      const text = readFileSync(join(ROOT, folder, file), "utf8");
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
      const visit = (node: ts.Node) => {
        const said = textOf(node);
        if (said !== undefined) for (const line of said.split("\n")) found.add(line.trim());
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  }
  return [...found];
}

/** The text of a string, a template or a sum of them; undefined for anything else. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => HOLE + literal.text).join("");
  }
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    if (left === undefined && right === undefined) return undefined;
    return (left ?? HOLE) + (right ?? HOLE);
  }
  return undefined;
}

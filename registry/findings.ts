import type { Document, Origin } from "./document.ts";
import type { Locator, Path } from "./locate.ts";
import type { Problem } from "./types.ts";

/** A problem before its line is looked up. */
export interface Finding {
  origin: Origin;
  at: "key" | "value";
  what: string;
  remedy: string;
  project?: string | undefined;
}

/** Collects everything that is wrong, and looks up the lines once, at the end. */
export class Findings {
  readonly problems: Finding[] = [];
  readonly warnings: Finding[] = [];
  readonly #located: Problem[] = [];

  add(finding: Finding): void {
    this.problems.push(finding);
  }

  warn(finding: Finding): void {
    this.warnings.push(finding);
  }

  /** A problem whose place is known, or that has none. */
  addLocated(problem: Problem): void {
    this.#located.push(problem);
  }

  /** Takes over what others found. */
  take(others: Findings): void {
    this.problems.push(...others.problems);
    this.warnings.push(...others.warnings);
    this.#located.push(...others.#located);
  }

  /** The problems of one document. */
  within(document: Document): Finding[] {
    return this.problems.filter((finding) => finding.origin.document === document);
  }

  /** The keys directly under a path at which something is wrong. */
  keysUnder(document: Document, path: Path): Set<string> {
    const inside = this.problems
      .map((finding) => finding.origin)
      .filter((each) => each.document === document && path.every((p, i) => each.path[i] === p));
    return new Set(inside.map((each) => String(each.path[path.length] ?? "")));
  }

  /**
   * @param files in the order in which they are to be reported
   * @returns the problems, sorted by file and place
   */
  async locate(files: readonly string[]): Promise<Problem[]> {
    const problems = [...this.#located, ...(await located(this.problems))];
    const order = new Map(files.map((file, index) => [file, index]));
    const rank = ({ file }: Problem) => order.get(file) ?? files.length;
    return problems.sort(
      (a, b) =>
        rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
  }

  async locateWarnings(): Promise<Problem[]> {
    return located(this.warnings);
  }
}

async function located(findings: readonly Finding[]): Promise<Problem[]> {
  const locators = new Map<Document, Locator>();
  const problems: Problem[] = [];
  for (const { origin, at, what, remedy, project } of findings) {
    const { document, path } = origin;
    let find = locators.get(document);
    if (!find) {
      find = await document.locator();
      locators.set(document, find);
    }
    const position = find(path, at);
    problems.push({ file: document.file, ...position, what, remedy, ...(project && { project }) });
  }
  return problems;
}

/** The place of something in a document. */
export function origin(document: Document, ...path: Path): Origin {
  return { document, path };
}

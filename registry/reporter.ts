// What the parts of a project's resolution are given: what they go by, and where they report.

import type { BackupRulesTable } from "./backup-rules.ts";
import type { Origin } from "./document.ts";
import type { Findings } from "./findings.ts";
import type { Facts } from "./substitute.ts";
import { quote } from "./text.ts";
import type { Defaults } from "./types.ts";

/** What a project is resolved against. */
export interface Context {
  defaults: Defaults;
  /** The rules of backups in [defaults], as they are written. */
  backupRules?: BackupRulesTable | undefined;
  facts: Facts;
  /** Whether `repos_root` is what the user meant; where it may not be, paths are not judged by it. */
  rootKnown: boolean;
}

/** Reports about one project. */
export class Reporter {
  readonly project: string;
  readonly #findings: Findings;

  constructor(project: string, findings: Findings) {
    this.project = project;
    this.#findings = findings;
  }

  problem(origin: Origin, what: string, remedy: string, at: "key" | "value" = "value"): void {
    this.#findings.add(this.#finding(origin, what, remedy, at));
  }

  warn(origin: Origin, what: string, remedy: string, at: "key" | "value" = "value"): void {
    this.#findings.warn(this.#finding(origin, what, remedy, at));
  }

  #finding(origin: Origin, what: string, remedy: string, at: "key" | "value") {
    const { project } = this;
    return { origin, at, what: `project ${quote(project)}: ${what}`, remedy, project };
  }
}

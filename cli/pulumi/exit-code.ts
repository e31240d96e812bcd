import { EXIT } from "../../host/fault.js";
import type { ReportLine } from "./report.ts";

/** How Pulumi ended. */
export interface PulumiEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The signal that told this run to stop, if one did. */
  interrupted?: NodeJS.Signals;
}

/**
 * What outweighs what when several things went wrong. A host that does not answer explains the
 * rest; a conflict needs a decision, whereas what merely failed may only need another run.
 */
const PRIORITY: readonly number[] = [EXIT.environment, EXIT.conflict, EXIT.usage, EXIT.failed];

/** Pulumi's own exit codes (3.254 and newer) that mean something else than "failed" here. */
const PULUMI: Readonly<Record<number, number>> = {
  2: EXIT.usage, // invalid flags or configuration
  3: EXIT.environment, // not logged in to the backend
  6: EXIT.environment, // the stack is not in the backend
};

/** What a run was asked for. */
export interface Asked {
  /** Whether all is as declared (`--expect-no-changes`), which trouble with a project denies. */
  judging: boolean;
  /** The projects to which it was limited; all where there are none. */
  names: readonly string[];
}

/** @returns one of `EXIT` */
export function exitCodeOf(
  end: PulumiEnd,
  report: readonly ReportLine[],
  { judging, names }: Asked = { judging: false, names: [] },
): number {
  if (end.interrupted) return EXIT.failed;
  const counts = ({ level, project }: ReportLine) =>
    level === "error" ||
    (judging && project !== undefined && (names.length === 0 || names.includes(project)));
  const reported = new Set(
    report.map((line) => line.exitCode ?? (counts(line) ? EXIT.failed : EXIT.ok)),
  );
  const worst = PRIORITY.find((code) => reported.has(code));
  if (worst !== undefined) return worst;
  if (end.code === 0) return EXIT.ok;
  return PULUMI[end.code ?? -1] ?? EXIT.failed;
}

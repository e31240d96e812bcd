// The program and its providers write what went wrong as JSON lines to the file that
// REPOMAN_REPORT names, since all that Pulumi tells about a failure is that there was one.

import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** One line of the report. */
export interface ReportLine {
  level: "error" | "warning";
  /** The exit code that it asks for; a warning without one asks for none, unless it is judged. */
  exitCode?: number;
  /** The object that it is about. */
  name?: string;
  /** The project whose trouble a warning tells of. */
  project?: string;
  urn?: string;
  message: string;
}

/**
 * A line that is cut off or not JSON is passed over: its writer was killed, and Pulumi's own exit
 * code tells of that.
 */
export async function readReport(file: string): Promise<ReportLine[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line) as ReportLine;
      return value.level === "error" || value.level === "warning" ? [value] : [];
    } catch {
      return [];
    }
  });
}

/**
 * A name for the report of this run; those of runs that were killed are swept away.
 *
 * @param stackDir is made if absent
 */
export async function freshReport(stackDir: string): Promise<string> {
  await mkdir(stackDir, { recursive: true });
  for (const name of await readdir(stackDir)) {
    const pid = /^report-(\d+)\.jsonl$/.exec(name)?.[1];
    if (pid && !lives(Number(pid))) await rm(join(stackDir, name), { force: true });
  }
  return join(stackDir, `report-${process.pid}.jsonl`);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

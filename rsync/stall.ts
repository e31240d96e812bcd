import { readdir, readFile } from "node:fs/promises";

/**
 * Watches whether a process group still does anything: output, processor time, or bytes through
 * its pipes and files. A file system that hangs lets all three stand still; a slow disk or a long
 * comparison does not.
 *
 * @param group the leader's process id
 * @param stallAfter ms without any movement after which `onStall` is called, once
 */
export function watchForStall(
  group: number,
  stallAfter: number,
  onStall: () => void,
): { seen(): void; stop(): void } {
  let lastMove = performance.now();
  let lastWork = "";
  let stopped = false;
  const timer = setInterval(
    async () => {
      const work = await workOf(group);
      if (stopped) return;
      if (work !== lastWork) lastMove = performance.now();
      lastWork = work;
      if (performance.now() - lastMove < stallAfter) return;
      stop();
      onStall();
    },
    Math.max(50, Math.min(stallAfter / 4, 10_000)),
  );
  timer.unref();
  const stop = () => {
    stopped = true;
    clearInterval(timer);
  };
  return {
    seen: () => {
      lastMove = performance.now();
    },
    stop,
  };
}

/** What the processes of a group have done so far; equal texts mean that none did anything. */
async function workOf(group: number): Promise<string> {
  const work: string[] = [];
  for await (const { pid, fields } of processesOf(group)) {
    work.push(`${pid} ${fields[11]} ${fields[12]} ${(await io(pid)).replace(/\s+/g, " ")}`);
  }
  return work.join(";");
}

/** How many bytes the living processes of a group have read, files and pipes alike. */
export async function bytesRead(group: number): Promise<number> {
  let sum = 0;
  for await (const { pid } of processesOf(group)) {
    sum += Number(/^rchar: (\d+)/m.exec(await io(pid))?.[1] ?? 0);
  }
  return sum;
}

async function* processesOf(group: number): AsyncGenerator<{ pid: string; fields: string[] }> {
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // The name in parentheses may hold anything; the fields after it are plain.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[2] === String(group)) yield { pid, fields };
  }
}

function io(pid: string): Promise<string> {
  return readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
}

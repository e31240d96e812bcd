// A process whose only work is one line of the journal, for a folder on a file system that may not
// answer: it can be left behind.
//
//     node journal-writer.ts <folder> <line as JSON>

import { appendLine } from "./journal-file.ts";

const [, , folder = "", line = "{}"] = process.argv;
try {
  await appendLine(folder, JSON.parse(line) as object);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.stderr.write(`${code ?? message}\n`);
  process.exitCode = 1;
}

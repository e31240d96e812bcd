// Editing a file by way of a copy: checked when the editor is closed, and written only when it is
// good.

import { EXIT, Fault } from "../../host/fault.js";
import { problemLine } from "../../registry/fault.ts";
import { count, printable } from "../../registry/text.ts";
import type { Problem } from "../../registry/types.ts";
import { ask, canAsk } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";
import { leftDrafts, makeDraft, readDraft, removeDraft } from "./drafts.ts";
import { editorCommand, openEditor } from "./editor.ts";

export interface Shadow {
  /** The name of the file that is edited, such as `repoman.toml`. */
  base: string;
  text: string;
  /** Where state is kept, and which editor there is. */
  env: NodeJS.ProcessEnv;
  /** What is wrong with a text; `draft` is the file that problems in it are reported of. */
  judge(text: string, draft: string): Promise<Verdict>;
  /** Writes the text where it belongs. */
  save(text: string): Promise<void>;
}

export interface Verdict {
  problems: Problem[];
  /** Whether some of them were not there before. */
  fresh: boolean;
  /** Whether it can be written in spite of them. */
  savable: boolean;
}

/**
 * Lets the user edit a file.
 *
 * @returns whether something was saved; false too where the user gave up, which is said
 * @throws Fault where the editor fails, or problems remain and nobody can be asked; Cancelled. What
 *   was written is kept then, and it is said where.
 */
export async function editShadow(shadow: Shadow): Promise<"saved" | "unchanged" | "kept"> {
  const { env, base, text: original } = shadow;
  editorCommand(env);
  for (const left of await leftDrafts(env, base)) {
    note(`An earlier edit that was not saved is still there: ${printable(left)}`);
  }
  const draft = await makeDraft(env, base, original);
  let done = false;
  try {
    const text = await untilGood(shadow, draft);
    done = text === original;
    if (done) {
      note("Nothing was changed.");
      return "unchanged";
    }
    if (text === undefined) return "kept";
    await shadow.save(text);
    done = true;
    return "saved";
  } finally {
    done ||= await readDraft(draft).then(
      (text) => text === original,
      () => false,
    );
    if (done) await removeDraft(draft);
    else note(`What you wrote is kept in ${printable(draft)}`);
  }
}

/** @returns the text that is to be saved; undefined where the user gave up */
async function untilGood(shadow: Shadow, draft: string): Promise<string | undefined> {
  for (;;) {
    await openEditor(draft, shadow.env);
    const text = await readDraft(draft);
    if (text === shadow.text) return text;
    const { problems, fresh, savable } = await shadow.judge(text, draft);
    if (problems.length === 0) return text;
    const many = count(problems.length, "problem");
    const list = problems.map(problemLine).join("\n");
    if (!canAsk() && fresh) {
      throw new Fault(`what was written has ${many}, so it is not saved`, {
        remedy: list,
        exitCode: EXIT.failed,
      });
    }
    warn(`what you wrote has ${many}:\n${list}`);
    if (!canAsk()) return text;
    const choice = await ask<"edit" | "save" | "stop">(({ select }, io) =>
      select({
        message: "What now?",
        options: [
          { value: "edit" as const, label: "Go on editing" },
          ...(savable ? [{ value: "save" as const, label: "Save it all the same" }] : []),
          { value: "stop" as const, label: "Stop, and keep what I wrote aside" },
        ],
        ...io,
      }),
    );
    if (choice === "save") return text;
    if (choice === "stop") return undefined;
  }
}

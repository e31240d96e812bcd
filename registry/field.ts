import * as z from "zod";
import type { Rule } from "./rules.ts";

/** A string that a rule must be content with; the rule's remedy travels in the issue. */
export const string = (rule: Rule) =>
  z.string().check((context) => {
    const complaint = rule(context.value);
    if (!complaint) return;
    context.issues.push({
      code: "custom",
      input: context.value,
      message: complaint.what,
      params: { remedy: complaint.remedy },
    });
  });

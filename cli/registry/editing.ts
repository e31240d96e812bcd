// `config edit`: the registry in the user's editor, by way of a copy that is checked.

import { dirname, join } from "node:path";
import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import { readRegistryText } from "../../registry/registry-text.ts";
import { printable } from "../../registry/text.ts";
import { editShadow } from "../editing/shadow.ts";
import { note } from "../output/say.ts";
import type { Place } from "./place.ts";

/**
 * @returns what became of it
 * @throws RegistryMissing
 * @throws Fault (conflict) where the file was changed while it was edited; what the user wrote is
 *   kept, as it is with every other failure
 */
export async function editConfig({
  setting,
  file,
}: Place): Promise<"saved" | "unchanged" | "kept"> {
  const { env } = setting;
  const text = await readRegistryText(file);
  const [{ readEstate }, { editRegistry, newProblems }] = await Promise.all([
    import("../../registry/estate.ts"),
    import("../../registry/edit/file.ts"),
  ]);
  return editShadow({
    base: "repoman.toml",
    text,
    env,
    async judge(wanted, draft) {
      const options = { file, env, vendorDir: VENDOR_PROFILES };
      const { problems } = await readEstate({ ...options, text: wanted });
      const fresh = problems.length === 0 ? [] : await newProblems(file, text, wanted, env);
      return {
        // What is open in the editor is the draft.
        problems: problems.map((each) => (each.file === file ? { ...each, file: draft } : each)),
        fresh: fresh.length > 0,
        savable: fresh.every((each) => each.file !== file),
      };
    },
    async save(wanted) {
      const saved = await editRegistry(file, () => wanted, { env, seen: text });
      note(`Saved ${printable(saved.file)}. \`repoman preview\` shows what follows from it.`);
    },
  });
}

/** Where what belongs to a registry is. */
export function placesOf(file: string) {
  const folder = dirname(file);
  return { overrides: join(folder, "repos.d"), profiles: join(folder, "profiles.d") };
}

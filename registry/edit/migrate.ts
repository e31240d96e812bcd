import { migrate } from "../migrate.ts";
import { assign, at, pairAt, remove } from "./assign.ts";
import { Draft } from "./draft.ts";
import { parseData } from "./source.ts";

const ROOTS = { local_repos: "repos_root", nfs_repos: "backup_root" } as const;

/**
 * Brings a text of schema 1 or 2 to schema 3, which then means what the older one did: the roots get
 * their names of today, the address in `ollama_url` becomes `lan_ip`, and `[defaults.llm]` goes.
 * One of schema 3 stays as it is.
 *
 * @throws Fault where the text is no TOML
 */
export function migrateText(text: string): string {
  const data = parseData(text.replace(/^\ufeff/, ""));
  const { schema, lanIp } = migrate(data);
  if (schema !== 1 && schema !== 2) return text;
  const draft = new Draft(text);
  const there = (name: string) => draft.block([name]) !== undefined;
  const known = { host: there("host"), repoman: there("repoman") };
  for (const [older, name] of Object.entries(ROOTS)) {
    const old = pairAt(draft, ["defaults", older]);
    const current = at(draft.source.data, ["defaults", name]);
    if (!old) continue;
    if (current === undefined) draft.renameKey(old, name);
    // Two that differ are for the user to decide between; the registry's check says so.
    else if (current === at(draft.source.data, ["defaults", older])) {
      remove(draft, ["defaults", older]);
    }
  }
  if (at(draft.source.data, ["defaults", "llm"]) !== undefined) remove(draft, ["defaults", "llm"]);
  const address = at(draft.source.data, ["host", "lan_ip"]);
  if (lanIp !== undefined && address === undefined) assign(draft, ["host", "lan_ip"], lanIp);
  assign(draft, ["repoman", "schema"], 3);
  // What is new is easier to see with space around it.
  for (const [name, old] of Object.entries(known)) {
    const block = draft.block([name]);
    if (block && !old) draft.setApart(block);
  }
  return draft.toString();
}

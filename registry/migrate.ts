import { isIP } from "node:net";

/** What an older file means in schema 3. */
export interface Migrated {
  /** As the file declares it, or as its shape tells. */
  schema: number;
  /** The host's address, where an older file keeps it elsewhere. */
  lanIp?: string;
}

/**
 * Reads schema 1 and 2 as schema 3, in memory: `[defaults.llm]` is dropped, and the address in its
 * `ollama_url` becomes `lan_ip`. `local_repos` and `nfs_repos` are names that every schema takes.
 *
 * @param data the parsed file; what schema 3 does not know is taken out
 */
export function migrate(data: Record<string, unknown>): Migrated {
  const defaults = table(data.defaults);
  const declared = table(data.repoman)?.schema;
  const schema =
    typeof declared === "number"
      ? declared
      : declared !== undefined
        ? 3
        : defaults && "llm" in defaults
          ? 2
          : defaults && ("local_repos" in defaults || "nfs_repos" in defaults)
            ? 1
            : 3;
  if (schema !== 1 && schema !== 2) return { schema };
  const url = table(defaults?.llm)?.ollama_url;
  if (defaults) delete defaults.llm;
  const lanIp = typeof url === "string" ? host(url) : undefined;
  return { schema, ...(lanIp && { lanIp }) };
}

/** The address in `http://192.168.1.20:11434`; nothing where there is a name or no sense in it. */
function host(url: string): string | undefined {
  const match = /^(?:[a-z]+:\/\/)?(?:\[([^\]]+)\]|([^/:[\]]+))(?::\d+)?(?:\/.*)?$/i.exec(
    url.trim(),
  );
  const address = match?.[1] ?? match?.[2];
  return address && isIP(address) ? address : undefined;
}

function table(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

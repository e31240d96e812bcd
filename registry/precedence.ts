import type { Loose } from "./check.ts";
import type { Document, Origin } from "./document.ts";
import type { Path } from "./locate.ts";
import type { ProjectEntry } from "./project-schema.ts";

/*
 * Which of several files has the last word on a project:
 *
 *   defaults < [[project]] < .repoman.toml, as far as it is trusted < repos.d/<name>.toml
 *
 * - Single values and lists (`image`, `profiles`, `ports`, `mount`, `ignore`, …): the later file's
 *   takes the place of the earlier one's, as a whole. A list that grew by parts from several files
 *   could not be read off any of them.
 * - `env` and `config`: merged key by key. An empty string takes a key away, as with `incus config
 *   set key=`; Incus does not keep empty values.
 * - `device`: merged device by device, and option by option in a device of the same type. Another
 *   `type` makes another device, which starts from nothing. `type = "none"` hides a device that a
 *   profile brings.
 */

/** One file's word on a project. */
export interface Layer {
  document: Document;
  /** Where in the document the project's keys begin. */
  base: Path;
  data: Loose<ProjectEntry>;
  /** Keys whose value was refused and left out of `data`. */
  refused?: ReadonlySet<string>;
}

/** A value, as Incus writes it, and where it was written. */
export interface Setting {
  value: string;
  origin: Origin;
}

/** What all files say together. */
export interface Merged {
  /** Single values and lists. */
  data: Omit<Loose<ProjectEntry>, "env" | "config" | "device">;
  env: Map<string, Setting>;
  /** Keys are dotted, however they were spelled; without `environment.*`, which is in `env`. */
  config: Map<string, Setting>;
  devices: Map<string, { origin: Origin; options: Map<string, Setting> }>;
  /** Keys that some file gives a value that was refused. */
  refused: ReadonlySet<string>;
  /** Keys that one file sets twice, as `"limits.memory"` and as `limits.memory`. */
  twice: { origin: Origin; key: string }[];
  /** Where the value that holds was written; the place of the project's entry if nowhere. */
  origin(...path: Path): Origin;
}

/** @param layers the earliest first; the first is the `[[project]]` itself */
export function merge(layers: readonly [Layer, ...Layer[]]): Merged {
  const data: Record<string, unknown> = {};
  const env = new Map<string, Setting>();
  const config = new Map<string, Setting>();
  const devices: Merged["devices"] = new Map();
  const twice: Merged["twice"] = [];
  for (const { document, base, data: layer } of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value !== undefined && !["env", "config", "device"].includes(key)) data[key] = value;
    }
    const settings = (path: Path, table: unknown) => {
      const found = new Map<string, Setting>();
      for (const [key, value, tail] of flatten(table)) {
        const origin = { document, path: [...base, ...path, ...tail] };
        if (found.has(key)) twice.push({ origin, key });
        found.set(key, { value, origin });
      }
      return found;
    };
    for (const [key, setting] of settings(["env"], layer.env)) env.set(key, setting);
    for (const [key, setting] of settings(["config"], layer.config)) {
      const variable = /^environment\.(.+)$/s.exec(key)?.[1];
      if (variable === undefined) config.set(key, setting);
      else if (layer.env && Object.hasOwn(layer.env, variable)) {
        twice.push({ origin: setting.origin, key });
      } else env.set(variable, setting);
    }
    for (const [name, table] of Object.entries(layer.device ?? {})) {
      const options = settings(["device", name], table);
      const type = options.get("type")?.value;
      const known = devices.get(name);
      const same = known && (type === undefined || known.options.get("type")?.value === type);
      devices.set(name, {
        origin: { document, path: [...base, "device", name] },
        options: same ? new Map([...known.options, ...options]) : options,
      });
    }
  }
  const origin = (...path: Path): Origin => {
    const layer = layers.findLast(({ data: each }) => has(each, path[0])) ?? layers[0];
    return { document: layer.document, path: [...layer.base, ...path] };
  };
  const refused = new Set(layers.flatMap((layer) => [...(layer.refused ?? [])]));
  return { data: data as Merged["data"], env, config, devices, refused, twice, origin };
}

function has(data: object, key: string | number | undefined): boolean {
  return key !== undefined && (data as Record<string, unknown>)[key] !== undefined;
}

/** Nested tables as dotted keys, each with its value as Incus writes it and its path. */
function* flatten(table: unknown, path: string[] = []): Generator<[string, string, string[]]> {
  for (const [key, value] of Object.entries(table ?? {})) {
    const here = [...path, key];
    if (typeof value === "object" && value !== null) yield* flatten(value, here);
    else if (value !== undefined) yield [here.join("."), String(value), here];
  }
}

// What of a container is not as it should be: the same for Pulumi's plan and for what is said of
// the estate beside it. Pure.

import { isDeepStrictEqual } from "node:util";
import { changed } from "../compare.ts";
import type { ContainerInputs } from "./inputs.ts";

/** What only a new instance can change. */
const REPLACES = ["image", "project", "remote"] as const;

/** What changes without a new instance; `running` only where the registry sets it. */
const IN_PLACE: readonly (keyof ContainerInputs)[] = [
  "name",
  "description",
  "profiles",
  "config",
  "devices",
  "ready",
  "owner",
  "restart",
  "ignore",
  "user",
  "path",
];

/** The names of the inputs that differ, apart by what mends them. */
export function differing(
  live: ContainerInputs,
  wanted: ContainerInputs,
): { replaces: string[]; updates: string[] } {
  const replaces: string[] = changed(live, wanted, REPLACES);
  if (live.devices.root?.pool !== wanted.devices.root?.pool) replaces.push("devices");
  const updates: string[] = changed(live, wanted, IN_PLACE);
  if (wanted.running !== undefined) updates.push(...changed(live, wanted, ["running"] as const));
  return { replaces, updates };
}

/** One property that is not what it should be. */
export interface Difference {
  /** Dotted: `config.limits.memory`, `devices.repo.source`, `image`. */
  property: string;
  /** As it is on the server; undefined where it is not there. */
  live: unknown;
  /** As it should be; undefined where it should not be there. */
  declared: unknown;
}

/** Every property that differs, sorted; a device that is only on one side counts as one. */
export function differences(live: ContainerInputs, wanted: ContainerInputs): Difference[] {
  const { replaces, updates } = differing(live, wanted);
  const found = [...new Set([...replaces, ...updates])].flatMap((name): Difference[] => {
    const [is, should] = [live, wanted].map((each) => each[name as keyof ContainerInputs]);
    switch (name) {
      case "config":
      case "devices":
        return inside(name, is, should, name === "devices" ? 2 : 1);
      case "owner":
        return [{ property: "owner", live: live.owner.stack, declared: wanted.owner.stack }];
      default:
        return [{ property: name, live: is, declared: should }];
    }
  });
  return found.sort((a, b) => (a.property < b.property ? -1 : 1));
}

function inside(property: string, live: unknown, declared: unknown, depth: number): Difference[] {
  if (isDeepStrictEqual(live, declared)) return [];
  if (depth === 0 || !isRecord(live) || !isRecord(declared)) return [{ property, live, declared }];
  const keys = new Set([...Object.keys(live), ...Object.keys(declared)]);
  return [...keys].flatMap((key) =>
    inside(`${property}.${key}`, live[key], declared[key], depth - 1),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

import type { Config } from "../incus/types.ts";

/**
 * What the estate's Incus project has of its own. Profiles and images come from the project
 * `default`: the estate shares profiles with what else is on the server, and a project without
 * objects of its own can be deleted when it is empty.
 */
export const FEATURES: Config = {
  "features.images": "false",
  "features.profiles": "false",
  "features.storage.buckets": "true",
  "features.storage.volumes": "true",
};

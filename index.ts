// The program: load the registry, survey the host, compose the estate, export the outputs.

import { getStack } from "@pulumi/pulumi/metadata.js";
import { Estate } from "./components/estate.ts";
import { leaveOut } from "./lean.ts";
import { readSettings, stopped } from "./settings.ts";
import { load } from "./survey/load.ts";

const settings = readSettings();
const { file, remote, owner } = settings;
const loaded = await load(file, remote, owner).catch(stopped);
leaveOut();
const estate = new Estate(getStack(), { ...settings, ...loaded });

/** By project: `{state, ipv4, image, profiles, repo, path}`. */
export const { containers, backups, profiles, orphans } = estate;

import { EXIT, Fault } from "../host/fault.js";
import { NotFound, named } from "./errors.ts";
import { findRemote, remotes } from "./remotes.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Image, InstanceSource } from "./types.ts";

export async function imageSource(
  image: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<InstanceSource> {
  return { type: "image", alias: image };
}

export async function resolveSource(
  _t: Transport,
  _p: string,
  source: InstanceSource,
): Promise<InstanceSource> {
  return source;
}

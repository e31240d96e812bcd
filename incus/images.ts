import { readFileSync } from "node:fs";
import { EXIT, Fault } from "../host/fault.js";
import { type About, BadRequest, NotFound, named } from "./errors.ts";
import { type Remote, remotes } from "./remotes.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Image, InstanceSource } from "./types.ts";

export type ImageCalls = ReturnType<typeof imageCalls>;

const FINGERPRINT = /^[0-9a-f]{4,64}$/i;

/**
 * Where an image comes from, written as the incus client takes it: `remote:alias` (or
 * `remote:fingerprint`) with a remote of the client's configuration, or an alias or fingerprint on
 * the server itself. A fingerprint may be cut short. The client's default remote plays no part.
 * @param server the remote that the instance is made on, as given to `connect()`
 * @throws Fault (exit 2) for what cannot be an image's name or names a remote that is not there;
 *   (exit 3) for a remote that this server cannot take images from
 */
export async function imageSource(
  image: string,
  env: NodeJS.ProcessEnv = process.env,
  server = "local",
): Promise<InstanceSource> {
  checkName(image);
  const colon = image.indexOf(":");
  if (colon < 0) return { type: "image", alias: image };
  const name = image.slice(0, colon);
  const alias = image.slice(colon + 1);
  const all = remotes(env);
  const remote = all.get(name);
  if (!remote) {
    throw new Fault(`image ${JSON.stringify(image)}: there is no remote ${JSON.stringify(name)}`, {
      remedy: `the incus client knows ${[...all.keys()].sort().join(", ")}; add another: incus remote add ${name} ADDRESS`,
      exitCode: EXIT.usage,
    });
  }
  if (alias === "" || alias.startsWith("-")) throw malformed(image);
  if (name === (server || "local")) return { type: "image", alias };
  return remoteSource(image, remote, alias);
}

function remoteSource(image: string, remote: Remote, alias: string): InstanceSource {
  const [address = ""] = remote.addresses;
  if (!address.startsWith("https://")) {
    throw new Fault(
      `image ${JSON.stringify(image)}: another server cannot fetch images from ${address || remote.name}`,
      {
        remedy: `copy it there first: incus image copy ${remote.name}:${alias} SERVER: --copy-aliases`,
        exitCode: EXIT.environment,
      },
    );
  }
  return {
    type: "image",
    mode: "pull",
    server: address,
    protocol: remote.protocol,
    alias,
    ...pinned(remote),
  };
}

function pinned(remote: Remote): { certificate?: string } {
  try {
    return { certificate: readFileSync(remote.serverCert, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Fault(`${remote.serverCert} cannot be read: ${(error as Error).message}`, {
      remedy: "give this user the right to read it",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}

function checkName(image: string): void {
  // Quotes, blanks and control characters are in no image's name, only in accidents and attacks.
  if (image.length > 255 || image.startsWith("-") || !/^[\p{L}\p{N}/._:@+~-]+$/u.test(image))
    throw malformed(image);
}

function malformed(image: string): Fault {
  return new Fault(`${JSON.stringify(image)} is not the name of an image`, {
    remedy:
      "write it as the incus client takes it: images:debian/12/cloud, an alias, or a fingerprint",
    exitCode: EXIT.usage,
  });
}

export function imageCalls(transport: Transport) {
  return {
    /**
     * An image on the server itself, by alias or fingerprint, which may be cut short.
     * @throws NotFound
     */
    async getImage(project: string, image: string): Promise<Image> {
      const about = { verb: "read", subject: named("image", image, project) };
      let fingerprint = image;
      try {
        fingerprint = await aliasTarget(transport, project, image, about);
      } catch (error) {
        if (!(error instanceof NotFound) || !FINGERPRINT.test(image)) throw error;
      }
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["images", fingerprint], { project }),
        about,
      });
      return reply.metadata as Image;
    },
  };
}

/**
 * The source as the server takes it: it wants to be told whether a name is an alias or a
 * fingerprint. Only a name that can be either costs a request.
 */
export async function resolveSource(
  transport: Transport,
  project: string,
  source: InstanceSource,
): Promise<InstanceSource> {
  const { alias, ...rest } = source;
  if (source.type !== "image" || source.server || !alias || !FINGERPRINT.test(alias)) return source;
  try {
    await aliasTarget(transport, project, alias, {
      verb: "read",
      subject: named("image", alias, project),
    });
    return source;
  } catch (error) {
    if (error instanceof NotFound) return { ...rest, fingerprint: alias };
    throw error;
  }
}

/** Says which image it was that the server did not find; the server's own words do not. */
export function explainSource(about: About, source: InstanceSource, error: unknown): unknown {
  const detail = (error as { detail?: unknown }).detail;
  if (typeof detail !== "string" || source.type !== "image") return error;
  const local = /Image not provided for instance creation/i.test(detail);
  const remote =
    source.server !== undefined && /(image|alias).*(not|n't) (be )?found/i.test(detail);
  if (!local && !remote) return error;
  const name = JSON.stringify(source.alias ?? source.fingerprint ?? "");
  return new BadRequest(
    about,
    source.server
      ? `there is no image ${name} on ${source.server} (${detail})`
      : `there is no image ${name} on the server`,
    {
      status: 404,
      remedy: source.server
        ? "see what it offers: incus image list REMOTE:"
        : "see what it has (`incus image list`), or write the remote that has it: images:debian/12/cloud",
      cause: error,
    },
  );
}

async function aliasTarget(
  transport: Transport,
  project: string,
  alias: string,
  about: About,
): Promise<string> {
  const reply = await transport.request({
    method: "GET",
    path: apiPath(["images", "aliases", alias], { project }),
    about,
  });
  return (reply.metadata as { target: string }).target;
}

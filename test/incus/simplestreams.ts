import { createHash } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pair } from "./certificates.ts";

export interface ImageServer {
  url: string;
  close(): Promise<void>;
}

/**
 * An image server of the simplestreams protocol, as images.linuxcontainers.org is one.
 * @param alias of its only image
 * @param image a combined tarball, compressed
 * @param seconds that a download takes
 */
export async function serveImage(
  pair: Pair,
  alias: string,
  image: Buffer,
  seconds: number,
): Promise<ImageServer> {
  const path = "images/incus_combined.tar.gz";
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const sha256 = createHash("sha256").update(image).digest("hex");
  const item = { ftype: "incus_combined.tar.gz", path, sha256, size: image.length };
  const product = {
    ...{ aliases: alias, arch, os: "Busybox", release: "1", release_title: "1" },
    versions: { "20260101_00:00": { items: { "incus_combined.tar.gz": item } } },
  };
  const common = { datatype: "image-downloads", format: "products:1.0" };
  const files: Record<string, object> = {
    "/streams/v1/index.json": {
      format: "index:1.0",
      index: { images: { ...common, path: "streams/v1/images.json", products: ["busybox"] } },
    },
    "/streams/v1/images.json": { ...common, content_id: "images", products: { busybox: product } },
  };
  const server = createServer(pair, async (request, response) => {
    const file = files[request.url ?? ""];
    if (file) return response.end(JSON.stringify(file));
    if (request.url !== `/${path}`) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Length": image.length });
    const step = Math.ceil(image.length / (seconds * 10));
    for (let from = 0; from < image.length; from += step) {
      response.write(image.subarray(from, from + step));
      await sleep(100);
    }
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

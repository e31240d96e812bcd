import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ConnectOptions, connect } from "../../incus/client.ts";
import { type Pair, selfSigned } from "./certificates.ts";

let client: Pair;
let server: Pair;
let other: Pair;
let https: Server;
let port: number;
let folder: string;
/** Certificates that clients showed, one a request. */
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  [client, server, other] = await Promise.all([selfSigned(), selfSigned(), selfSigned()]);
  https = createServer(
    { ...server, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const shown = (request.socket as TLSSocket).getPeerX509Certificate();
      seen.push(shown?.toString());
      const metadata = {
        auth: "trusted",
        auth_user_method: "tls",
        config: { "core.https_address": ":1" },
      };
      response.end(JSON.stringify({ type: "sync", status: "Success", status_code: 200, metadata }));
    },
  );
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", () => resolve()));
  port = (https.address() as AddressInfo).port;
  folder = mkdtempSync(join(tmpdir(), "incus-"));
  mkdirSync(join(folder, "servercerts"));
  mkdirSync(join(folder, "clientcerts"));
});
afterAll(async () => {
  https.closeAllConnections();
  await new Promise((resolve) => https.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string, content: string) => writeFileSync(join(folder, name), content);
const options = (): ConnectOptions => ({
  remote: "big",
  env: { HOME: folder, INCUS_CONF: folder },
});

beforeEach(() => {
  seen.length = 0;
  file("config.yml", `remotes:\n  big:\n    addr: https://127.0.0.1:${port}\n`);
  file("client.crt", client.cert);
  file("client.key", client.key);
  rmSync(join(folder, "client.ca"), { force: true });
  rmSync(join(folder, "servercerts/big.crt"), { force: true });
});

describe("a server over TLS", () => {
  test("is trusted by its pinned certificate, and shown the client's", async () => {
    file("servercerts/big.crt", server.cert);
    const incus = await connect(options());
    expect(seen).toEqual([new X509Certificate(client.cert).toString()]);
    incus.close();
  });

  test("with another certificate than the pinned one is sent nothing", async () => {
    file("servercerts/big.crt", other.cert);
    await expect(connect(options())).rejects.toMatchObject({
      name: "Unreachable",
      exitCode: 3,
      message: expect.stringContaining("is not the one expected"),
    });
    expect(seen).toEqual([]);
  });

  test("is not trusted for a name that some authority vouches for when another is pinned", async () => {
    // The pinned certificate is the authority here, and still not the one that the server shows.
    file("servercerts/big.crt", other.cert);
    file("client.ca", server.cert);
    await expect(connect(options())).rejects.toThrow("is not the one in");
    expect(seen).toEqual([]);
  });

  test("without a pinned certificate needs an authority", async () => {
    await expect(connect(options())).rejects.toThrow(/certificate is not trusted/i);
    expect(seen).toEqual([]);
    file("client.ca", server.cert);
    (await connect(options())).close();
  });

  test("may want a certificate made for it alone", async () => {
    file("servercerts/big.crt", server.cert);
    file("clientcerts/big.crt", other.cert);
    file("clientcerts/big.key", other.key);
    (await connect(options())).close();
    expect(seen).toEqual([new X509Certificate(other.cert).toString()]);
    rmSync(join(folder, "clientcerts/big.crt"));
  });

  test("is tried at its next address when the first does not answer", async () => {
    file(
      "config.yml",
      `remotes:\n  big:\n    addr: https://127.0.0.1:1,https://127.0.0.1:${port}\n`,
    );
    file("servercerts/big.crt", server.cert);
    const incus = await connect(options());
    expect(incus.place).toContain(String(port));
    incus.close();
  });

  test("that refuses the connection is out of reach, with a remedy", async () => {
    file("config.yml", "remotes:\n  big:\n    addr: https://127.0.0.1:1\n");
    await expect(connect(options())).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("refuses the connection"),
      remedy: expect.stringContaining("core.https_address"),
    });
  });
});

test("a pinned file that holds no certificate is named", async () => {
  file("servercerts/big.crt", "garbage");
  await expect(connect(options())).rejects.toThrow("servercerts/big.crt is not a certificate");
});

test("a key with a password is refused before anything is asked", async () => {
  file("client.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  await expect(connect(options())).rejects.toThrow("has a password");
});

// A password in a URL to clone from is for git alone.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { cloneUrl } from "../../cli/estate/clone-url.ts";
import { provideRepository, requireRepository } from "../../cli/estate/repository.ts";
import { everyProcess } from "../rig/processes.ts";

const SECRET = "s3cret-%2Fword";
const PLAIN = "s3cret-/word";

let folder: string;
let server: Server;
let place: string;
/** What the processes of this machine were called while git asked. */
const seen: string[] = [];
let asked: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clone-"));
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=n", "-c", "user.email=e@x", ...args]);
  await git("init", "-qb", "main", join(folder, "work"));
  await git("-C", join(folder, "work"), "commit", "-q", "--allow-empty", "-m", "one");
  await git("clone", "-q", "--bare", join(folder, "work"), join(folder, "served.git"));
  await git("-C", join(folder, "served.git"), "update-server-info");
  server = createServer((request, response) => {
    seen.push(...everyProcess().map(({ argv }) => argv.join(" ")));
    asked = request.headers.authorization ?? asked;
    const right = `Basic ${Buffer.from(`dev:${PLAIN}`).toString("base64")}`;
    if (request.headers.authorization !== right) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return;
    }
    const { pathname } = new URL(request.url ?? "/", "http://x");
    try {
      response.end(readFileSync(join(folder, pathname)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  place = `127.0.0.1:${(server.address() as AddressInfo).port}/served.git`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

test("clones with it, and shows it to nobody", async () => {
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const path = join(folder, "clone");
  const clone = `http://dev:${SECRET}@${place}`;
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", HOME: folder };
  try {
    await provideRepository(path, { clone }, env);
  } finally {
    stderr.mockRestore();
  }
  expect(asked).toBeDefined();
  expect(said.join("")).toContain(`Cloning "http://${place}".`);
  expect(said.join("")).toContain("are not kept");
  const config = readFileSync(join(path, ".git/config"), "utf8");
  expect(config).toContain(`url = http://${place}\n`);
  expect(seen.some((argv) => argv.includes(`git clone -- http://${place}`))).toBe(true);
  for (const text of [...said, ...seen, config]) expect(text).not.toMatch(/s3cret/);

  // It is this clone, by whoever.
  expect(await requireRepository(path, { clone }, env)).toBe(false);
  await expect(requireRepository(path, { clone: `${clone}x` }, env)).rejects.toThrow(
    `no clone of "http://${place}x"`,
  );
  await expect(
    provideRepository(join(folder, "no"), { clone: `http://dev:wrong@${place}` }, env),
  ).rejects.toThrow(`git could not clone "http://${place}"`);
});

test.each([
  ["https://example.org/a@b.git", "https://example.org/a@b.git"],
  ["https://token@example.org:8443/x", "https://example.org:8443/x"],
  ["https://u:p@ss@example.org/x", "https://example.org/x"],
  ["git@example.org:a/b.git", "git@example.org:a/b.git"],
  ["ssh://git:pw@example.org/x", "ssh://git@example.org/x"],
  ["/srv/git/x@y", "/srv/git/x@y"],
])("%j is shown as %j", (given, shown) => {
  expect(cloneUrl(given).url).toBe(shown);
});

test("what cannot be one is refused without showing it, and settings of git's own stay", () => {
  for (const bad of ["a%0Ab", "%zz"]) {
    expect(() => cloneUrl(`https://u:${bad}@example.org/x`)).toThrow(
      /for https:\/\/example.org\/x /,
    );
  }
  const env = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "a.b", GIT_CONFIG_VALUE_0: "c" };
  expect(cloneUrl("https://token@example.org/x", env).variables).toEqual({
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_1: "credential.https://example.org.username",
    GIT_CONFIG_VALUE_1: "token",
  });
});

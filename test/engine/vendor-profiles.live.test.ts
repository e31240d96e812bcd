// The profiles that come with repoman, in a container: first on a host that has none of what they
// share, then on one that has it all.

import { readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { expectNoChanges, instance, up } from "./estate.ts";

const VENDOR = join(import.meta.dirname, "../../profiles");
const ALL = [
  "claude-share",
  "codex-share",
  "dotfiles",
  "gh-share",
  "host-ca",
  "llm-share",
  "ssh-agent",
];

let daemon: Daemon;
let host: Host;
let agent: Server | undefined;

const projects = (beta: string[]) =>
  host.writeRegistry({
    host: { lan_ip: "192.0.2.7" },
    project: [
      { name: "alpha", profiles: ["default", ...ALL] },
      { name: "beta", profiles: ["default", ...beta] },
    ],
  });

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await host.repo("alpha");
  await host.repo("beta");
  // The machine has this folder, so that it could not be missing.
  const ca = readFileSync(join(VENDOR, "host-ca.yml"), "utf8");
  host.write(
    ".config/repoman/profiles.d/host-ca.yml",
    ca.replace("source: /etc/ssl/certs", "source: ${HOME}/certs"),
  );
  projects([]);
});
afterAll(async () => {
  agent?.close();
  await host?.dispose();
  await daemon?.dispose();
});

const inside = async (container: string, script: string) => {
  const { uid, gid } = host.user;
  return (await host.sh(container, script, { uid, gid })).all;
};

const restart = (name: string) =>
  daemon.api("PUT", `/1.0/instances/${name}/state?project=repoman`, {
    action: "restart",
    force: true,
    timeout: 30,
  });

/** What an agent on the host answers to one who connects inside. */
async function askAgent(): Promise<string> {
  const { metadata } = await daemon.api("GET", "/1.0/instances/alpha/state?project=repoman");
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(`/proc/${metadata.pid}/root/dev/ssh-agent.sock`, () =>
      socket.write("?"),
    );
    socket.on("data", (data) => {
      answer += data;
      socket.end();
    });
    socket.on("error", () => resolve("nobody"));
    socket.on("close", () => resolve(answer || "nobody"));
  });
}

test("keep no container from starting on a host that has none of it", async () => {
  await up(host);
  expect(await instance(daemon, "alpha")).toMatchObject({ status: "Running" });
  expect(await askAgent()).toBe("nobody");
  expect(await inside("alpha", "echo $SSH_AUTH_SOCK $OLLAMA_HOST $PIP_CERT")).toBe(
    "/dev/ssh-agent.sock http://192.0.2.7:11434 /usr/local/share/host-ca/ca-certificates.crt\n",
  );
  await expectNoChanges(host);
});

test("bring what the host has, once it has it, with the rights that they promise", async () => {
  const { home } = host;
  const files = {
    ".claude/settings.json": "claude\n",
    ".claude.json": "login\n",
    ".local/bin/claude": "program\n",
    ".codex/auth.json": "codex\n",
    ".config/gh/hosts.yml": "gh\n",
    ".gitconfig": "git\n",
    ".hgrc": "hg\n",
    ".ollama/id": "ollama\n",
    "certs/ca-certificates.crt": "authorities\n",
    ".ssh/config": "\n",
  };
  for (const [file, text] of Object.entries(files)) host.write(file, text);
  agent = createServer((socket) => socket.on("data", () => socket.end("agent")));
  await new Promise<void>((resolve) => {
    agent?.listen(join(home, ".ssh/agent.sock"), resolve);
  });
  // It may come at any time.
  expect(await askAgent()).toBe("agent");
  // As the user does it, not through repoman.
  await restart("alpha");
  expect(await askAgent()).toBe("agent");
  const read = `cd ${home} && cat .claude/settings.json .claude.json /usr/local/bin/claude \
    .codex/auth.json .config/gh/hosts.yml .gitconfig .hgrc .ollama/id $CURL_CA_BUNDLE`;
  expect(await inside("alpha", read)).toBe(
    "claude\nlogin\nprogram\ncodex\ngh\ngit\nhg\nollama\nauthorities\n",
  );
  expect(await inside("alpha", `cd ${home} && ls .ssh`)).toMatch(/No such file/);
  const tries = [
    ".claude",
    ".codex",
    ".ollama",
    ".config/gh",
    "/usr/local/share/host-ca",
    ".config",
  ];
  const wrote = tries.map((each) => `touch ${each}/x 2>/dev/null && echo ${each}`).join("; ");
  expect(await inside("alpha", `cd ${home}; ${wrote}; true`)).toBe(
    ".claude\n.codex\n.ollama\n.config\n",
  );
  for (const each of [".gitconfig", ".hgrc"]) {
    expect(await inside("alpha", `echo >> ${home}/${each}`)).toMatch(/Read-only/);
  }
});

test("let it start again when all of it is gone", async () => {
  agent?.close();
  for (const each of [".claude", ".claude.json", ".codex", ".config/gh", ".gitconfig", ".ssh"]) {
    rmSync(join(host.home, each), { recursive: true, force: true });
  }
  await restart("alpha");
  expect(await instance(daemon, "alpha")).toMatchObject({ status: "Running" });
});

test("leave the way to a mount the user's, also in a container that runs", async () => {
  const { uid, gid, home } = host.user;
  host.write(".config/gh/hosts.yml", "gh\n");
  projects(["gh-share"]);
  await up(host);
  expect(await inside("beta", `stat -c %u:%g ${home}/.config; touch ${home}/.config/x`)).toBe(
    `${uid}:${gid}\n`,
  );
  host.write("deep/file", "");
  const more = `  deep:
    type: disk
    source: \${HOME}/deep
    path: \${HOME}/.a/b/deep
`;
  const text = readFileSync(join(VENDOR, "gh-share.yml"), "utf8");
  host.write(".config/repoman/profiles.d/gh-share.yml", text + more);
  await up(host);
  expect(await inside("beta", `cd ${home}; stat -c %u:%g .a .a/b; ls .a/b/deep`)).toBe(
    `${uid}:${gid}\n${uid}:${gid}\nfile\n`,
  );
});

import { describe, expect, it } from "vitest";
import { GOOD, read } from "./rig.ts";

async function good(toml: string, env: NodeJS.ProcessEnv = {}) {
  const { registry, problems, home } = await read({ "repoman.toml": toml }, { env });
  expect(problems).toEqual([]);
  const project = registry.projects[0];
  if (!project) throw new Error("no project");
  return { registry, project, home };
}

describe("the effective configuration", () => {
  it("of a bare entry is what the defaults say", async () => {
    const { registry, project, home } = await good('[[project]]\nname = "alpha"\n');
    expect(project).toEqual({
      name: "alpha",
      repo: `${home}/repos/alpha`,
      path: `${home}/repos/alpha`,
      image: "images:ubuntu/26.04/cloud",
      profiles: ["default"],
      enabled: true,
      backup: false,
      backupMaxAge: 86_400,
      hermes: false,
      restart: false,
      ignore: [],
      ports: [],
      mounts: [],
      env: {},
      config: {},
      devices: {},
    });
    expect(registry).toMatchObject({ schema: 3, output: "quiet", lanIp: "", warnings: [] });
    expect(registry.defaults).toEqual({
      reposRoot: `${home}/repos`,
      backupMaxAge: 86_400,
      logdir: `${home}/.local/state/repoman/log`,
      incusProject: "repoman",
      defaultImage: "images:ubuntu/26.04/cloud",
      profiles: ["default"],
    });
  });

  it("of the example of the format is what it says", async () => {
    const { registry, project, home } = await good(`[repoman]
schema = 3
output = "quiet"

[host]
lan_ip = "192.168.168.124"           # populated by \`repoman setup\`

[defaults]
repos_root     = "~/repos"
backup_root    = "/nfs/repos"
logdir         = "~/.local/state/repoman"
incus_project  = "repoman"
default_image  = "images:ubuntu/26.04/cloud"
profiles       = ["default"]

[[project]]
name        = "isurus"
repo        = "isurus-project"
image       = "images:ubuntu/26.04/cloud"
profiles    = ["default", "claude-share", "llm-share"]
created     = "2026-04-28T15:00:00Z"
last_sync   = ""
backup      = true
`);
    expect(registry.lanIp).toBe("192.168.168.124");
    expect(project).toMatchObject({
      name: "isurus",
      repo: `${home}/repos/isurus-project`,
      path: `${home}/repos/isurus-project`,
      profiles: ["default", "claude-share", "llm-share"],
      created: "2026-04-28T15:00:00Z",
      lastSync: "",
      backup: true,
      backupPath: "/nfs/repos/isurus-project",
    });
  });

  it("has every field, resolved", async () => {
    const { project, home } = await good(`[host]
lan_ip = "10.0.0.2"
[[project]]
name = "alpha"
description = "all of it"
repo = "~/repos/deep//er/"
path = "/work"
image = "local"
profiles = []
enabled = false
backup = false
backup_max_age = "1d12h"
hermes = true
running = false
restart = true
ignore = ["limits.cpu", "device:gpu0"]
target = "@fast"
ports = ["3000", "8080:80/udp", "0.0.0.0:1:2", "[::1]:5:6", 9]
created = 2026-04-28T15:00:00Z
last_sync = 2026-04-28
mount = [{ source = "~/.npm", path = "\${HOME}/.npm/", readonly = true, optional = true }]
env = { B = 2, A = true, URL = "http://\${HOST_LAN_IP}:80", RAW = "\${NOT_OURS" }
config = { limits.memory = "1GiB", limits.cpu = 2, "user.big" = 9223372036854775807, boot.autostart = false }
[project.device.gpu0]
type = "gpu"
gputype = "physical"
[project.device.cache]
type = "disk"
source = "~/cache"
path = "/cache"
security.x = 1
`);
    expect(project).toEqual({
      name: "alpha",
      description: "all of it",
      repo: `${home}/repos/deep/er`,
      path: "/work",
      image: "local",
      profiles: [],
      enabled: false,
      backup: false,
      backupMaxAge: 36 * 3600,
      hermes: true,
      running: false,
      restart: true,
      ignore: ["limits.cpu", "device:gpu0"],
      target: "@fast",
      ports: [
        { device: "port-3000", listen: 3000, connect: 3000, protocol: "tcp", address: "127.0.0.1" },
        {
          device: "port-8080-udp",
          listen: 8080,
          connect: 80,
          protocol: "udp",
          address: "127.0.0.1",
        },
        { device: "port-0.0.0.0-1", listen: 1, connect: 2, protocol: "tcp", address: "0.0.0.0" },
        { device: "port-::1-5", listen: 5, connect: 6, protocol: "tcp", address: "::1" },
        { device: "port-9", listen: 9, connect: 9, protocol: "tcp", address: "127.0.0.1" },
      ],
      mounts: [
        {
          device: expect.stringMatching(/^mount-[\w.-]+$/),
          source: `${home}/.npm`,
          path: `${home}/.npm`,
          readonly: true,
          optional: true,
        },
      ],
      env: { A: "true", B: "2", RAW: "${NOT_OURS", URL: "http://10.0.0.2:80" },
      config: {
        "boot.autostart": "false",
        "limits.cpu": "2",
        "limits.memory": "1GiB",
        "user.big": "9223372036854775807",
      },
      devices: {
        cache: { type: "disk", source: `${home}/cache`, path: "/cache", "security.x": "1" },
        gpu0: { type: "gpu", gputype: "physical" },
      },
      created: "2026-04-28T15:00:00.000Z",
      lastSync: "2026-04-28",
    });
  });

  it("takes the roots from the environment where the registry does not set them", async () => {
    const env = { LOCAL_REPOS: "/srv/repos/", NFS_REPOS: "~/nfs" };
    const { registry, project, home } = await good('[[project]]\nname = "alpha"\n', env);
    expect(registry.defaults).toMatchObject({ reposRoot: "/srv/repos", backupRoot: `${home}/nfs` });
    expect(project).toMatchObject({ repo: "/srv/repos/alpha", backupPath: `${home}/nfs/alpha` });
    const { registry: own } = await good(GOOD, env);
    expect(own.defaults).toMatchObject({ reposRoot: "/repos", backupRoot: "/backup" });
  });

  it("refuses roots from the environment that are no paths", async () => {
    const { problems } = await read(
      { "repoman.toml": '[[project]]\nname = "alpha"\n' },
      { env: { LOCAL_REPOS: "repos" } },
    );
    expect(problems).toMatchObject([{ file: "environment variable LOCAL_REPOS" }]);
  });

  it("keeps spaces, line breaks and letters of any language in paths", async () => {
    const { project } = await good(`${GOOD}repo = "a b/c\\nd/ß日本 'x' \\"y\\" $z"\n`);
    expect(project.repo).toBe("/repos/a b/c\nd/ß日本 'x' \"y\" $z");
    expect(project.path).toBe(project.repo);
    expect(project.backupPath).toBe("/backup/a b/c\nd/ß日本 'x' \"y\" $z");
  });

  it("gives a mount the same device wherever it stands, and different mounts different ones", async () => {
    const mount = (path: string) => `{ source = "/x", path = "${path}" }`;
    const paths = [
      "/a/b",
      "/a-b",
      "/a b",
      "/a_b",
      `/${"x".repeat(80)}`,
      `/${"x".repeat(81)}`,
      "/ß",
    ];
    const devices = async (order: string[]) => {
      const { project } = await good(`${GOOD}mount = [${order.map(mount).join(", ")}]\n`);
      return Object.fromEntries(project.mounts.map(({ path, device }) => [path, device]));
    };
    const first = await devices(paths);
    expect(await devices([...paths].reverse())).toEqual(first);
    expect(new Set(Object.values(first)).size).toBe(paths.length);
    for (const device of Object.values(first)) expect(device).toMatch(/^[\w.-]{1,63}$/);
  });

  it("lets projects that are never up at once share a port", async () => {
    const beta = (more: string) => `\n[[project]]\nname = "beta"\nports = ["80"]\n${more}\n`;
    for (const more of ["enabled = false", "running = false"]) {
      await good(`${GOOD}ports = ["80"]\n${beta(more)}`);
    }
    await good(`${GOOD}ports = ["80/udp"]\n${beta("")}`);
    await good(`${GOOD}ports = ["127.0.0.2:80:80"]\n${beta("")}`);
  });

  it("does not take one path for another that only begins like it", async () => {
    await good(
      `${GOOD}\n[[project]]\nname = "alpha2"\n\n[[project]]\nname = "b"\nrepo = "alpha b/c"\n`,
    );
    await good(
      `${GOOD}mount = [{ source = "/a", path = "/a" }, { source = "/b", path = "/ab" }]\n`,
    );
  });
});

describe("a container that was adopted", () => {
  it("keeps its own id map and its own device for the repository", async () => {
    const { registry, problems } = await read({
      "repoman.toml": `[repoman]
schema = 3
[defaults]
repos_root = "/repos"
[[project]]
name = "alpha"
path = "/work"
idmap = "none"
[project.device.repo]
type = "disk"
source = "/repos/alpha/"
path = "work"
shift = true
`,
    });
    expect(problems).toEqual([]);
    expect(registry.projects[0]).toMatchObject({ idmap: "none", path: "/work" });
    expect(registry.warnings.map(({ what }) => what)).toEqual([
      expect.stringMatching(/device repo has shift/),
    ]);
  });

  it("is warned of a map that gives it root's own id", async () => {
    const { registry } = await read({ "repoman.toml": `${GOOD}idmap = "both 0 0"\n` });
    expect(registry.warnings.map(({ what }) => what)).toEqual([
      expect.stringMatching(/gives the container root's own id/),
    ]);
  });
});

// What somebody changed behind Pulumi's back: shown by property in a plain preview, mended in place.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { expectNoChanges, instance, repoman, up } from "./estate.ts";

const ALPHA = "/1.0/instances/alpha?project=repoman";

let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await host.repo("alpha");
  host.write(
    ".config/repoman/profiles.d/tools.yml",
    "description: Tools\nconfig:\n  limits.processes: '500'\ndevices:\n  scratch:\n    type: disk\n    source: /var\n    path: /mnt/scratch\n    readonly: 'true'\n",
  );
  host.write(".config/repoman/profiles.d/extra.yml", "description: Extra\nconfig: {}\n");
  host.writeRegistry({
    defaults: { backup_max_age: "24h" },
    project: [
      {
        name: "alpha",
        profiles: ["default", "tools", "extra"],
        env: { COLOUR: "blue" },
        config: { "limits.memory": "256MiB" },
        ports: ["127.0.0.1:38080:80"],
        mount: [{ source: host.home, path: "/mnt/home", readonly: true }],
      },
    ],
  });
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

/** The lines of a plain preview that say what would change, without their indentation. */
async function previewed(): Promise<string[]> {
  const { stdout } = await host.pulumi(["preview", "--diff", "--color=never"], {
    env: { PULUMI_STACK: "rig" },
  });
  // Whatever the refresh before it shows is what was found; what follows is what would be done.
  const plan = stdout.slice(stdout.lastIndexOf("pulumi:pulumi:Stack: (same)"));
  return plan
    .split("\n")
    .map((line) => line.trim().replace(/\s+:/, ":"))
    .filter((line) => /^[-+~]/.test(line));
}

// biome-ignore lint/suspicious/noExplicitAny: the body of whatever is changed
async function change(path: string, mutate: (value: any) => void): Promise<void> {
  const { metadata } = await daemon.api("GET", path);
  mutate(metadata);
  await daemon.api("PUT", path, metadata);
}

interface Drift {
  what: string;
  cause: () => Promise<unknown>;
  shown: (string | RegExp)[];
}

const DRIFTS: Drift[] = [
  {
    what: "a memory limit",
    cause: () =>
      change(ALPHA, ({ config }) => Object.assign(config, { "limits.memory": "128MiB" })),
    shown: ['~ limits.memory: "128MiB" => "256MiB"'],
  },
  {
    what: "an environment key",
    cause: () =>
      change(ALPHA, ({ config }) => Object.assign(config, { "environment.COLOUR": "red" })),
    shown: ['~ environment.COLOUR: "red" => "blue"'],
  },
  {
    what: "a foreign config key",
    cause: () => change(ALPHA, ({ config }) => Object.assign(config, { "limits.cpu": "1" })),
    shown: ['- limits.cpu: "1"'],
  },
  {
    what: "a device changed",
    cause: () =>
      change(ALPHA, ({ devices }) => {
        const port = Object.values(devices as Record<string, Record<string, string>>).find(
          ({ type }) => type === "proxy",
        );
        Object.assign(port ?? {}, { connect: "tcp:127.0.0.1:81" });
      }),
    shown: ['~ connect: "tcp:127.0.0.1:81" => "tcp:127.0.0.1:80"'],
  },
  {
    what: "a device removed",
    cause: () =>
      change(ALPHA, ({ devices }) => {
        for (const [name, { path }] of Object.entries(
          devices as Record<string, { path: string }>,
        )) {
          if (path === "/mnt/home") delete devices[name];
        }
      }),
    shown: ['+ path: "/mnt/home"'],
  },
  {
    what: "a foreign device",
    cause: () =>
      change(ALPHA, ({ devices }) => {
        devices.spy = { type: "disk", source: "/etc", path: "/mnt/etc" };
      }),
    shown: ["- spy: {", '- source: "/etc"'],
  },
  {
    what: "the order of the profiles",
    cause: () =>
      change(ALPHA, (value) => Object.assign(value, { profiles: ["default", "extra", "tools"] })),
    shown: ['~ [1]: "extra" => "tools"', '~ [2]: "tools" => "extra"'],
  },
  {
    what: "a profile's config",
    cause: () =>
      change("/1.0/profiles/tools", ({ config }) =>
        Object.assign(config, { "limits.processes": "9" }),
      ),
    shown: ['~ limits.processes: "9" => "500"'],
  },
  {
    what: "a profile's device",
    cause: () =>
      change("/1.0/profiles/tools", ({ devices }) => {
        delete devices.scratch.readonly;
      }),
    shown: ['+ readonly: "true"'],
  },
  {
    what: "the project's description",
    cause: () =>
      change("/1.0/projects/repoman", (value) => Object.assign(value, { description: "?" })),
    shown: [/^~ description: "\?" => "Containers of repositories/],
  },
  {
    what: "the container's description",
    cause: () => change(ALPHA, (value) => Object.assign(value, { description: "mine" })),
    shown: [/^~ description: "mine" => "repoman: /],
  },
  {
    what: "the mark of ownership",
    cause: () =>
      change(ALPHA, ({ config }) => {
        delete config["user.repoman.stack"];
      }),
    shown: [/^\+ id: "[0-9a-f]+"/],
  },
];

// All at once, since a preview shows all that is to be seen: each is looked for on its own.
describe("drift is shown by property, old and new, in a plain preview", () => {
  let lines: string[];
  let uuid: string;

  beforeAll(async () => {
    uuid = (await instance(daemon, "alpha")).config["volatile.uuid"];
    for (const { cause } of DRIFTS) await cause();
    lines = await previewed();
  });

  test.each(DRIFTS)("$what", ({ shown }) => {
    for (const line of shown) {
      expect(lines, lines.join("\n")).toContainEqual(
        typeof line === "string" ? line : expect.stringMatching(line),
      );
    }
  });

  test("and up mends it in place", async () => {
    await up(host);
    await expectNoChanges(host);
    const after = await instance(daemon, "alpha");
    expect(after.config["volatile.uuid"]).toBe(uuid);
    expect(after.status).toBe("Running");
  });
});

describe("what vanished shows as a create, and is made again", () => {
  test("a container and a profile", async () => {
    await daemon.api("PUT", "/1.0/instances/alpha/state?project=repoman", {
      action: "stop",
      force: true,
    });
    await daemon.api("DELETE", ALPHA);
    await daemon.api("DELETE", "/1.0/profiles/extra");
    const lines = await previewed();
    expect(lines).toContain("+ pulumi-nodejs:dynamic/repoman:RepoContainer: (create)");
    expect(lines).toContain("+ pulumi-nodejs:dynamic/repoman:IncusProfile: (create)");
    await up(host);
    await expectNoChanges(host);
    expect((await instance(daemon, "alpha")).status).toBe("Running");
  });
});

describe("what the registry leaves to others is no drift", () => {
  test("a container that was stopped, where `running` is not set", async () => {
    await daemon.api("PUT", "/1.0/instances/alpha/state?project=repoman", {
      action: "stop",
      force: true,
    });
    await expectNoChanges(host);
    await daemon.api("PUT", "/1.0/instances/alpha/state?project=repoman", { action: "start" });
  });

  test("keys and devices that `ignore` names, while others are still seen", async () => {
    const registry = (ignore: string[]) =>
      host.writeRegistry({
        project: [
          { name: "alpha", profiles: ["default"], config: { "limits.memory": "256MiB" }, ignore },
        ],
      });
    registry(["limits.cpu", "device:gpu0"]);
    await up(host);
    await change(ALPHA, ({ config, devices }) => {
      config["limits.cpu"] = "1";
      devices.gpu0 = { type: "disk", source: "/etc", path: "/mnt/gpu" };
    });
    await expectNoChanges(host);
    await change(ALPHA, ({ config }) => Object.assign(config, { "limits.memory": "64MiB" }));
    await up(host);
    const { config, devices } = await instance(daemon, "alpha");
    expect(config).toMatchObject({ "limits.cpu": "1", "limits.memory": "256MiB" });
    expect(devices).toHaveProperty("gpu0");
  });
});

describe("a change that takes effect at the next start", () => {
  test("is said in preview, applied, and left to the user", async () => {
    host.writeRegistry({
      project: [{ name: "alpha", config: { "security.privileged": "false" } }],
    });
    const { all } = await repoman(host, 0, "preview");
    expect(all).toMatch(
      /container "alpha": security\.privileged takes effect when it is restarted/,
    );
    const pid = async () =>
      (await daemon.api("GET", "/1.0/instances/alpha/state?project=repoman")).metadata.pid;
    const running = await pid();
    await up(host);
    expect(await pid()).toBe(running);

    host.writeRegistry({
      project: [
        {
          name: "alpha",
          config: { "security.privileged": "false", "security.idmap.isolated": "false" },
          restart: true,
        },
      ],
    });
    await up(host);
    expect(await pid()).not.toBe(running);
    await expectNoChanges(host);
  });
});

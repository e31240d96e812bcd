// What somebody changed behind Pulumi's back: shown by property in a plain preview, mended in place.
// All of it at once, since one preview shows all that is to be seen, and one run mends it. So with
// what it says of copies.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openTerminal } from "../cli/terminal.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { expectNoChanges, instance, repoman, Shared, STACK, up } from "./estate.ts";

const ALPHA = "/1.0/instances/alpha?project=repoman";

const shared = new Shared({ images: ["busybox"], repos: ["alpha", "beta"] });
let daemon: Daemon;
let host: Host;

beforeAll(() => {
  ({ daemon, host } = shared);
  host.write(
    ".config/repoman/profiles.d/tools.yml",
    "description: Tools\nconfig:\n  limits.processes: '500'\ndevices:\n  scratch:\n    type: disk\n    source: /var\n    path: /mnt/scratch\n    readonly: 'true'\n",
  );
  host.write(".config/repoman/profiles.d/extra.yml", "description: Extra\nconfig: {}\n");
  host.write(".config/repoman/profiles.d/spare.yml", "description: Spare\nconfig: {}\n");
  declare();
});

/** Writes the registry, with more for alpha. */
function declare({ config = {}, ...more }: { config?: object; restart?: boolean } = {}): void {
  host.writeRegistry({
    defaults: { backup_max_age: "24h" },
    project: [
      {
        name: "alpha",
        profiles: ["default", "tools", "extra"],
        env: { COLOUR: "blue" },
        config: { "limits.memory": "256MiB", ...config },
        ports: ["127.0.0.1:38080:80"],
        mount: [{ source: host.home, path: "/mnt/home", readonly: true }],
        ignore: ["limits.cpu.priority", "device:gpu0"],
        ...more,
      },
      { name: "beta", profiles: ["default", "spare"] },
    ],
  });
}

/** The lines of a plain preview that say what would change, without their indentation. */
async function previewed(): Promise<string[]> {
  const { stdout } = await host.pulumi(["preview", "--diff", "--color=never"], {
    env: { PULUMI_STACK: "rig" },
  });
  // Whatever the refresh before it shows is what was found; what follows is what would be done.
  const plan = stdout.slice(stdout.lastIndexOf("pulumi:pulumi:Stack: (same)"));
  let created = false;
  return plan
    .split("\n")
    .map((line) => line.trim().replace(/\s+:/, ":"))
    .filter((line) => {
      // Of what is to be made this line is enough: all of its properties are new.
      const [, operation] = /^[-+~]? ?[\w-]+:[\w/-]+:\w+: \((\w+)\)/.exec(line) ?? [];
      const within = created && operation === undefined;
      if (operation) created = operation === "create";
      return /^[-+~]/.test(line) && !within;
    });
}

async function stop(name: string): Promise<void> {
  const path = `/1.0/instances/${name}/state?project=repoman`;
  await daemon.api("PUT", path, { action: "stop", force: true });
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

test("a run moves its own line in Pulumi's display", async () => {
  writeFileSync(join(host.reposRoot, "beta/big"), Buffer.alloc(160 << 20, 1));
  const argv = [join(host.project, "bin/repoman"), "up", "--yes", "--skip-preview"];
  const terminal = openTerminal(host, argv, { columns: 140, env: { PULUMI_STACK: STACK } });
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(0);
  expect(text).toMatch(/RsyncBackup +beta +creating.*copying/);
});

describe("drift is shown by property, old and new, in a plain preview", () => {
  let lines: string[];
  let uuid: string;

  beforeAll(async () => {
    uuid = (await instance(daemon, "alpha")).config["volatile.uuid"];
    for (const { cause } of DRIFTS) await cause();
    await change(ALPHA, ({ config, devices }) => {
      config["limits.cpu.priority"] = "1";
      devices.gpu0 = { type: "disk", source: "/etc", path: "/mnt/gpu" };
    });
    await stop("beta");
    await daemon.api("DELETE", "/1.0/instances/beta?project=repoman");
    await daemon.api("DELETE", "/1.0/profiles/spare");
    lines = await previewed();
  });

  test.each(DRIFTS)("$what", ({ shown }) => {
    for (const line of shown) {
      expect(lines, lines.join("\n")).toContainEqual(
        typeof line === "string" ? line : expect.stringMatching(line),
      );
    }
  });

  test("a container and a profile that vanished, as creates", () => {
    expect(lines).toContain("+ pulumi-nodejs:dynamic/repoman:RepoContainer: (create)");
    expect(lines).toContain("+ pulumi-nodejs:dynamic/repoman:IncusProfile: (create)");
  });

  test("but no key or device that `ignore` names", () => {
    expect(lines.join("\n")).not.toMatch(/cpu\.priority|gpu0|mnt\/gpu/);
  });

  test("and up mends it in place, makes again what vanished, and leaves what is ignored", async () => {
    await up(host);
    const { config, devices, status } = await instance(daemon, "alpha");
    expect(config).toMatchObject({ "volatile.uuid": uuid, "limits.memory": "256MiB" });
    expect(config).toMatchObject({ "limits.cpu.priority": "1" });
    expect(devices).toHaveProperty("gpu0");
    expect(status).toBe("Running");
    expect((await instance(daemon, "beta")).status).toBe("Running");
  });

  test("after which there is none; a container that was stopped, where `running` is not set, and a changed repository are no drift", async () => {
    await stop("alpha");
    writeFileSync(join(host.reposRoot, "alpha/one"), "1234");
    await expectNoChanges(host);
    await daemon.api("PUT", "/1.0/instances/alpha/state?project=repoman", { action: "start" });
  });
});

describe("what a preview says of the next run", () => {
  let shown: string;
  let done: string;
  let pids: number[];
  const pid = async () =>
    (await daemon.api("GET", "/1.0/instances/alpha/state?project=repoman")).metadata.pid;

  beforeAll(async () => {
    const set = await host.pulumi(["config", "set", "repoman:pending", "true"], {
      env: { PULUMI_STACK: STACK },
    });
    expect(set.exitCode, set.all).toBe(0);
    declare({ config: { "security.privileged": "false" } });
    shown = (await repoman(host, 0, "preview", "--diff")).all;
    const before = await pid();
    done = (await up(host)).all;
    pids = [before, await pid()];
  });

  test("a change that takes effect at the next start is said, applied, and left to the user", async () => {
    expect(shown).toMatch(
      /container "alpha": security\.privileged takes effect when it is restarted/,
    );
    const { config } = await instance(daemon, "alpha");
    expect(config["security.privileged"]).toBe("false");
    expect(pids[1]).toBe(pids[0]);
  });

  test("what is pending is told where the stack's config asks for it, and up is left alone by it", () => {
    expect(shown).toMatch(/\+ pending *: "1 file, 4 B, 0 to delete"/);
    expect(done).toMatch(/RepoContainer +alpha +updated/);
    expect(done).not.toMatch(/RsyncBackup +\w+ +(updat|creat|replac|delet)/);
  });

  test("with `restart` the change takes effect; after a copy by hand nothing is left to do", async () => {
    declare({
      config: { "security.privileged": "false", "security.idmap.isolated": "false" },
      restart: true,
    });
    await up(host);
    expect(await pid()).not.toBe(pids[0]);
    await repoman(host, 0, "sync", "alpha");
    await expectNoChanges(host);
  });
});

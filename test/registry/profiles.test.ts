import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadLibrary } from "../../registry/profiles.ts";
import { GOOD, marked, read } from "./rig.ts";

const VENDOR = join(import.meta.dirname, "../../profiles");
const facts = { lanIp: "192.168.1.20", user: "dev", home: "/home/dev" };

async function one(text: string, more: Record<string, string> = {}) {
  const estate = { "repoman.toml": `${GOOD}[host]\nlan_ip = "10.0.0.2"\n`, ...more };
  const { library, problems, home } = await read({ ...estate, "profiles.d/mine.yml": text });
  return { template: library.get("mine"), library, problems, home };
}

describe("the profiles that come with repoman", () => {
  it("are these, and start where their sources are missing", async () => {
    const library = await loadLibrary({ vendorDir: VENDOR, userDir: "/nowhere", facts });
    expect([...library.keys()]).toEqual([
      "claude-share",
      "codex-share",
      "dotfiles",
      "gh-share",
      "host-ca",
      "llm-share",
      "ssh-agent",
    ]);
    for (const { name, description, devices, unresolved, source } of library.values()) {
      expect({ name, description, source }).toMatchObject({
        description: expect.stringMatching(/./),
        source: "vendor",
      });
      expect(unresolved).toEqual([]);
      expect(library.warnings.get(name)).toEqual([]);
      for (const device of Object.values(devices)) {
        // A proxy connects when it is asked to: what is missing keeps nothing from starting.
        if (device.type !== "proxy") {
          expect(device).toMatchObject({ type: "disk", required: "false" });
        }
        expect(device).not.toHaveProperty("shift");
      }
    }
  });

  it("share both halves of Claude's login", async () => {
    const library = await loadLibrary({ vendorDir: VENDOR, userDir: "/nowhere", facts });
    const paths = Object.values(library.get("claude-share")?.devices ?? {}).map(({ path }) => path);
    expect(paths).toEqual(["/usr/local/bin/claude", "/home/dev/.claude.json", "/home/dev/.claude"]);
  });

  it("lead to the host's ollama, and are a fault of their own where its address is unknown", async () => {
    const known = await loadLibrary({ vendorDir: VENDOR, userDir: "/nowhere", facts });
    expect(known.get("llm-share")?.config).toEqual({
      "environment.OLLAMA_HOST": "http://192.168.1.20:11434",
    });
    const options = { vendorDir: VENDOR, userDir: "/nowhere", facts: { ...facts, lanIp: "" } };
    const unknown = await loadLibrary(options);
    const rest = [...known.keys()].filter((name) => name !== "llm-share");
    expect([...unknown.keys()]).toEqual(rest);
    expect(unknown.faults.get("llm-share")).toMatchObject({
      file: join(VENDOR, "llm-share.yml"),
      line: expect.any(Number),
      what: 'profile "llm-share": ${HOST_LAN_IP} is empty on this host',
      remedy: expect.stringContaining("lan_ip"),
    });
  });
});

describe("a profile of the user's", () => {
  it("has its variables replaced, and keeps the ones that repoman does not know", async () => {
    const { template, library, home } = await one(`name: mine
description: |
  For \${USER}
config:
  environment.HOST: \${HOST_LAN_IP}
  environment.TWICE: "\${HOME}:\${HOME}"
  user.x: \${X} and \${X}
devices:
  cache:
    type: disk
    source: \${HOME}/.cache
    path: ~/.cache
`);
    expect(template).toMatchObject({
      name: "mine",
      description: "For dev",
      source: "user",
      shadows: false,
      config: {
        "environment.HOST": "10.0.0.2",
        "environment.TWICE": `${home}:${home}`,
        "user.x": "${X} and ${X}",
      },
      devices: { cache: { type: "disk", source: `${home}/.cache`, path: `${home}/.cache` } },
      unresolved: ["X"],
    });
    expect(library.warnings.get("mine")).toMatchObject([
      { line: 7, column: 11, what: expect.stringContaining("${X}") },
    ]);
  });

  it("has every scalar as the string that is written", async () => {
    const { template } = await one(`config:
  limits.cpu: 2
  security.nesting: true
  user.octal: 0755
  user.big: 123456789012345678901234567890
  user.float: 1.50
  user.empty: ""
  user.lines: |
    #cloud-config
    a: 1
`);
    expect(template?.config).toEqual({
      "limits.cpu": "2",
      "security.nesting": "true",
      "user.octal": "0755",
      "user.big": "123456789012345678901234567890",
      "user.float": "1.50",
      "user.lines": "#cloud-config\na: 1\n",
    });
  });

  it("may be what `incus profile show` prints, or nothing", async () => {
    const shown = await one(
      "config: {}\ndescription: x\ndevices: {}\nname: mine\nused_by:\n- /1.0/x\nproject: default\n",
    );
    expect(shown.problems).toEqual([]);
    for (const empty of ["", "# nothing\n", "config:\ndevices:\n", "---\n"]) {
      expect((await one(empty)).problems).toEqual([]);
    }
  });

  it("takes the place of one of its name that comes with repoman, also where it cannot be used", async () => {
    const vendor = { "vendor/mine.yml": "description: theirs\n" };
    const { template } = await one("description: own\n", vendor);
    expect(template).toMatchObject({ description: "own", source: "user", shadows: true });
    const { library } = await read({
      "repoman.toml": GOOD,
      "vendor/mine.yml": "description: theirs\n",
      "profiles.d/mine.yml": "config:\n  user.a: ${HOST_LAN_IP}\n",
    });
    expect(library.has("mine")).toBe(false);
    expect(library.faults.get("mine")?.file).toMatch(/profiles\.d/);
  });

  it("is warned of where it has shift", async () => {
    const { library, problems } = await one(
      'devices:\n  a:\n    type: disk\n    source: /a\n    path: /a\n    shift: "true"\n',
    );
    expect(problems).toEqual([]);
    expect(library.warnings.get("mine")).toMatchObject([
      { line: 6, column: 12, what: expect.stringContaining("shift") },
    ]);
  });

  it.each([
    ["a syntax error", "config:\n  a: «}\n", /not YAML here/],
    ["a tab", "config:\n«\ta: b\n", /not YAML here/],
    ["a key twice", "config:\n  user.a: 1\n  «user.a: 2\n", /unique/],
    ["two documents", "config: {}\n«---\nconfig: {}\n", /multiple documents/],
    ["a list", "«- a\n", /a table is wanted/],
    ["a missing anchor", "«config: *x\n", /alias/],
    ["an unknown key", "«devcies: {}\n", /unknown key "devcies"/],
    ["text for a table", "devices: «none\n", /devices must be a table/],
    ["a table for text", "config:\n  «user.a:\n    b: c\n", /config user\.a must be a string/],
    ["another name", "name: «yours\n", /calls itself "yours"/],
    ["a key of the server's", "config:\n  «volatile.x: 1\n", /server's own/],
    ["no config key", "config:\n  «memory: 1\n", /no config key/],
    ["a line break in the environment", 'config:\n  environment.A: «"a\\nb"\n', /line break/],
    ["a device without a type", "devices:\n  «x:\n    path: /a\n", /has no type/],
    ["a device of no type", "devices:\n  x:\n    type: «dsk\n", /is no type of device/],
    ["a device with a bad name", "devices:\n  «a b:\n    type: none\n", /refuses/],
  ])("is reported at its place: %s", async (_, text, what) => {
    const { problems, places, found } = await marked({
      "repoman.toml": GOOD,
      "profiles.d/mine.yml": text,
    });
    expect(found).toEqual(places);
    expect(problems[0]?.what).toMatch(what);
    expect(problems[0]?.remedy).toMatch(/./);
  });

  it("is refused under a name that Incus refuses, that is Incus's own, or that is there twice", async () => {
    const { problems } = await read({
      "repoman.toml": GOOD,
      "profiles.d/a b.yml": "",
      "profiles.d/default.yml": "",
      "profiles.d/x.yml": "",
      "profiles.d/x.yaml": "",
    });
    expect(problems.map(({ file, what }) => `${file}: ${what}`)).toEqual([
      'profiles.d/a b.yml: profile "a b": its name contains white space',
      expect.stringMatching(/^profiles\.d\/default\.yml: .*leaves alone$/),
      'profiles.d/x.yaml: there is "x.yml" beside it, for the same profile',
    ]);
  });

  it("cannot multiply aliases beyond reason", async () => {
    const lines = ["a: &a0 [x, x]"];
    for (let i = 1; i < 30; i++) lines.push(`b${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
    const { problems } = await one(`${lines.join("\n")}\n`);
    expect(problems[0]?.what).toMatch(/alias/i);
  });
});

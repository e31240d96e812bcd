// Reads the documents as their reader does, at a machine of the rig: runs each command that they
// show, in order, and holds what it prints against what they say it prints.

import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEY, openTerminal } from "../cli/terminal.ts";
import { selfSigned } from "../incus/certificates.ts";
import { type ImageServer, serveImage } from "../incus/simplestreams.ts";
import { own } from "../rig/copy.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages, setAlias } from "../rig/images.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { newFolder } from "../rig/place.ts";
import { documents, type Invocation, invocations, readDocument } from "./markdown.ts";
import { type Ran, Session } from "./session.ts";
import { matches } from "./shown.ts";

/** What the documents call the host, and so its stack. */
const HOST = "homeserver";
const DISK = "/mnt/backup";

let daemon: Daemon;
let host: Host;
let images: ImageServer;
let session: Session;

/** What cannot be run here, why, and what is done in its place. */
const NOT_RUN: Record<string, { because: string; instead?: () => Promise<unknown> }> = {
  "npm test": { because: "is what runs this" },
  "npm test -- test/registry": { because: "is what runs this" },
  "npx vitest run --project unit": { because: "is what runs this" },
  "npm run check": { because: "runs beside the tests" },
  "sudo systemctl start incus": { because: "no systemd here", instead: () => daemon.restart() },
  "sudo mount /mnt/backup": { because: "no fstab here", instead: () => mountDisk() },
  "export PULUMI_BACKEND_URL='s3://my-bucket?region=eu-central-1'": { because: "no bucket here" },
};

/**
 * Run without the preview that comes first: documents show what is updated, and a preview where
 * they mean one.
 */
const WITHOUT_PREVIEW: Record<string, string> = {
  "npm start": "npm start -- --skip-preview",
  ...Object.fromEntries(
    [
      "bin/repoman up --stack demo --yes",
      "bin/repoman destroy --stack demo --yes",
      "repoman up website --yes",
      "repoman up --yes",
      "repoman destroy --stack second --yes --remove",
    ].map((command) => [command, `${command} --skip-preview`]),
  ),
};

/** What is typed where a command asks. */
const TYPED: Record<string, [shows: string | RegExp, types: string][]> = {
  "repoman setup": [
    // Asked only where there is no default route.
    ["The address of this host", `192.168.1.20${KEY.enter}`],
    ["Where are the repositories?", KEY.enter],
    ["Where do their copies go", `${DISK}${KEY.enter}`],
    ["Image of new containers?", `${KEY.backspace.repeat(40)}images:debian/12/cloud${KEY.enter}`],
    ["Make these changes?", KEY.enter],
  ],
  "repoman shell website": [[/[#$] $/, "pwd; exit\r"]],
};

/** What has happened on the reader's machine by the time of a section. */
const BEFORE: Record<string, () => Promise<unknown>> = {
  "A five-minute tour": async () => {
    // The demo keeps to the image that it once chose; the real one takes a minute to make.
    const folder = join(host.home, ".local/share/repoman/demo");
    host.write(join(folder, ".written.json"), JSON.stringify({ image: "repoman/debian-12" }));
    own(join(host.home, ".local"), host.user);
  },
  "Nothing answers": () => daemon.stop(),
  "It is refused": async () => {
    writeFileSync(registry(), `${readFileSync(registry(), "utf8")}imgae = "x"\n`);
  },
  "A file inside is not the one outside": async () => {
    // Saved as an editor does: a new file over the old one.
    host.write(".gitconfig.new", "[user]\n\tname = Other\n");
    await host.run(["mv", join(host.home, ".gitconfig.new"), join(host.home, ".gitconfig")]);
  },
  "The backup disk is away": () => unmountBelow(DISK),
  '"more than the limit"': () => host.run(["rm", "-r", join(host.reposRoot, "work/engine/src")]),
  "The state is lost": async () => {
    rmSync(join(host.home, ".local/state/repoman/pulumi/.pulumi"), { recursive: true });
  },
  "Profiles that you wrote by hand": () => daemon.incus("profile", "create", "claude-share"),
  "From the bash script": async () => {
    const repo = await host.repo("older");
    const disk = ["repo", "disk", `source=${repo}`, `path=${repo}`, "shift=true"];
    for (const args of [
      ["launch", "busybox", "older"],
      ["config", "device", "add", "older", ...disk],
    ]) {
      const { exitCode, stderr } = await daemon.incus(...args);
      expect(exitCode, stderr).toBe(0);
    }
  },
};

/** What is to be put right after a section, for the others to begin with a sound host. */
const AFTER: Record<string, () => Promise<unknown>> = {
  "It is refused": async () => {
    const text = readFileSync(registry(), "utf8");
    writeFileSync(registry(), text.replace('imgae = "x"\n', ""));
  },
};

/** The order in which they are read: the walkthrough's estate serves the others, and goes last. */
const READ: { name: string; from?: string; to?: string }[] = [
  { name: "README.md", to: "Uninstall" },
  { name: "docs/walkthrough.md", to: "11. Take a project out" },
  { name: "docs/profiles.md" },
  { name: "docs/pulumi.md" },
  { name: "docs/troubleshooting.md" },
  { name: "docs/walkthrough.md", from: "11. Take a project out" },
  { name: "docs/migration.md" },
  { name: "README.md", from: "Uninstall" },
];

const registry = () => join(host.home, ".config/repoman/repoman.toml");
const ran = new Set<string>();

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await Promise.all([provideImages(), provideRepositories(), provideDisk(), provideAddress()]);
  const { name, uid, gid, home } = host.user;
  symlinkSync(host.project, join(home, "repoman"));
  const env = { PULUMI_STACK: HOST, PATH: `${home}/.local/bin:${host.env.PATH}`, NO_COLOR: "1" };
  session = new Session(host, env, [
    [host.project, "/home/you/repoman"],
    [home, "/home/you"],
    [`${name} (${uid}:${gid})`, "you (1000:1000)"],
    [name, "you"],
  ]);
});
afterAll(async () => {
  await unmountBelow(dirname(DISK));
  await execa("ip", ["link", "delete", "docs0"], { reject: false });
  await images?.close();
  await host?.dispose();
  await daemon?.dispose();
});

// Each begins where the one before it has ended: to do one again would prove nothing.
const once = { retry: 0 };

const titled = READ.map(({ name, from, to }) => ({
  title: [name, from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(", "),
  read: { name, from, to },
}));

test.each(titled)("$title", once, async ({ read: { name, from, to } }) => {
  const document = readDocument(name);
  const begin = from === undefined ? 0 : document.headings.indexOf(from);
  const end = to === undefined ? document.headings.length : document.headings.indexOf(to);
  expect([begin, end], "the headings are there").not.toContain(-1);
  const sections = new Set(document.headings.slice(begin, end));
  const commands = invocations(document);
  const differences: string[] = [];
  let section: string | undefined;
  for (const block of document.blocks) {
    if (!sections.has(block.heading)) continue;
    if (block.heading !== section) {
      if (section !== undefined) await AFTER[section]?.();
      section = block.heading;
      await BEFORE[section]?.();
    }
    if (block.file !== undefined) write(block.file, block.text);
    const last = block.line + block.text.split("\n").length;
    for (const shown of commands.filter(({ line }) => line > block.line && line < last)) {
      differences.push(...(await follow(shown, name)));
    }
    if (block.language === "crontab") differences.push(...(await timers(block.text, name)));
  }
  if (section !== undefined) await AFTER[section]?.();
  expect(differences.join("\n\n")).toBe("");
});

test("no command that a document shows was left out", once, () => {
  const shown = documents().flatMap((document) => [
    ...invocations(document).map(({ command }) => command),
    ...document.blocks
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.trim().split("\n"))
      .map((line) => line.replace(/ +# .*$/, "")),
  ]);
  expect(shown.filter((command) => !ran.has(command) && !NOT_RUN[command])).toEqual([]);
  const told = [...Object.keys(NOT_RUN), ...Object.keys(WITHOUT_PREVIEW), ...Object.keys(TYPED)];
  expect(told.filter((command) => !shown.includes(command))).toEqual([]);
});

/** Runs one command. @returns what is not as shown */
async function follow(shown: Invocation, name: string): Promise<string[]> {
  const { command, exitCode, output, line } = shown;
  ran.add(command);
  const left = NOT_RUN[command];
  if (left) {
    await left.instead?.();
    return [];
  }
  const found = TYPED[command]
    ? await atTerminal(command, TYPED[command])
    : await session.run(WITHOUT_PREVIEW[command] ?? command);
  const good =
    found.exitCode === exitCode && (output.length === 0 || matches(output, found.output));
  if (good) return [];
  const end = found.output.split("\n").slice(-60).join("\n");
  return [`${name}:${line}: ${command}\nexits ${found.exitCode}, and prints (its end):\n${end}`];
}

async function atTerminal(command: string, typed: [string | RegExp, string][]): Promise<Ran> {
  const { PATH } = host.env;
  const terminal = openTerminal(host, ["sh", "-c", command], {
    cwd: session.folder,
    columns: 110,
    env: { PULUMI_STACK: HOST, PATH: `${host.home}/.local/bin:${PATH}`, NO_COLOR: "1" },
  });
  for (const [what, keys] of typed) {
    await terminal.shows(what);
    terminal.type(keys);
  }
  const { exitCode, text } = await terminal.done;
  return { exitCode, output: session.shown(text) };
}

/** Lines of a crontab, as cron runs them: on a good night without a word, which it would mail. */
async function timers(text: string, name: string): Promise<string[]> {
  const differences: string[] = [];
  for (const line of text.trim().split("\n")) {
    const found = await session.run(line.replace(/^(?:\S+\s+){5}/, ""));
    if (found.exitCode !== 0 || found.output !== "")
      differences.push(`${name}: ${line}\n${found.output}`);
  }
  return differences;
}

function write(file: string, text: string): void {
  host.write(file.replace(/^~\//, ""), text);
}

/** The image server that `images:` is. */
async function provideImages(): Promise<void> {
  const { folder } = newFolder("im");
  const exported = join(folder, "image");
  const [pair] = await Promise.all([
    selfSigned(),
    daemon.incus("image", "export", "busybox", exported),
  ]);
  const image = gzipSync(readFileSync(`${exported}.tar`));
  images = await serveImage(pair, "debian/12/cloud", image, 0.1);
  host.write(".config/incus/servercerts/images.crt", pair.cert);
  const remote = `{addr: "${images.url}", protocol: simplestreams, public: true}`;
  host.write(".config/incus/config.yml", `remotes:\n  images: ${remote}\n`);
  const { metadata } = await daemon.api("GET", "/1.0/images/aliases/busybox");
  await setAlias(daemon, "repoman/debian-12", metadata.target);
}

async function provideRepositories(): Promise<void> {
  await host.repo("website");
  await host.run(["mkdir", "-p", join(host.home, "second/trial")]);
  const files = Array.from({ length: 60 }, (_, index) => [`src/file-${index}.c`, "int x;\n"]);
  await host.repo("work/engine", Object.fromEntries(files));
  chownSync(join(host.reposRoot, "work"), host.user.uid, host.user.gid);
  host.write(".gitconfig", "[user]\n\tname = You\n");
}

async function provideAddress(): Promise<void> {
  // With a carrier, which an empty bridge has not.
  await execa("ip", ["link", "add", "docs0", "type", "veth", "peer", "name", "docs0-far"]);
  await execa("ip", ["address", "add", "192.168.1.20/24", "dev", "docs0"]);
  for (const end of ["docs0", "docs0-far"]) await execa("ip", ["link", "set", end, "up"]);
}

/** The rig's disk, at the place that the documents name. */
async function provideDisk(): Promise<void> {
  await host.backup.unmount();
  if (!existsSync(dirname(DISK))) mkdirSync(dirname(DISK));
  await mount("-t", "tmpfs", "mnt", dirname(DISK));
  mkdirSync(DISK);
  await mountDisk();
}

async function mountDisk(): Promise<void> {
  await mount("-o", "loop", host.backup.image, DISK);
}

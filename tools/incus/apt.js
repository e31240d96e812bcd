import { readFileSync } from "node:fs";
import { EXIT, Fault } from "../../host/fault.js";
import { asRoot, lastWords, run, which } from "./process.js";

/** @typedef {{ step(text: string): void }} Progress */

const SOURCES = "/etc/apt/sources.list.d/repoman-backports.sources";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * The fields of /etc/os-release.
 * @param {string} [file]
 * @returns {Record<string, string>}
 */
export function osRelease(file = "/etc/os-release") {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, name, value] = line.match(/^(\w+)="?(.*?)"?$/) ?? [];
    if (name) fields[name] = value ?? "";
  }
  return fields;
}

/**
 * Which of the packages apt would install now.
 * @param {string[]} packages
 * @returns {Promise<Set<string>>}
 */
export async function available(packages) {
  const { stdout } = await run(["apt-cache", "policy", ...packages], {
    env: { ...process.env, LC_ALL: "C" },
  });
  const found = new Set();
  let current = "";
  for (const line of stdout.split("\n")) {
    current = line.match(/^(\S+):$/)?.[1] ?? current;
    const candidate = line.match(/^ {2}Candidate: (.+)$/)?.[1];
    if (candidate && candidate !== "(none)") found.add(current);
  }
  return found;
}

/**
 * One of this machine's package archives, as apt's sources name it.
 *
 * @typedef {object} Archive
 * @property {string} uri with a slash at the end
 * @property {string} suite the word in the sources: `bookworm`, `bookworm-updates`
 * @property {string} codename from the archive's own Release file; empty before the first update
 * @property {string} origin `Debian`, `Ubuntu`, …
 * @property {string} component
 */

/** @returns {Promise<Archive[]>} without duplicates, in the order of the sources */
export async function archives() {
  const format = "$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(ORIGIN)|$(COMPONENT)";
  const { stdout } = await run([
    "apt-get",
    "indextargets",
    "--format",
    format,
    "Created-By: Packages",
  ]);
  // A variable without a value is printed as it stands in the format.
  const lines = stdout.split("\n").map((line) => line.replaceAll(/\$\(\w+\)/g, ""));
  return [...new Set(lines.filter(Boolean))].map((line) => {
    const [uri = "", suite = "", codename = "", origin = "", component = ""] = line.split("|");
    return { uri, suite, codename, origin, component };
  });
}

/** Read again once in a process's life; each caller judges by what is available afterwards. */
let refreshed = false;

/**
 * @param {Progress} progress
 * @param {boolean} [again]
 */
export async function refresh(progress, again = false) {
  if (refreshed && !again) return "";
  refreshed = true;
  progress.step("Reading apt's package lists");
  const finished = await asRoot(["apt-get", "-qq", ...PATIENCE, "update"], "Reading package lists");
  return finished.code === 0 ? "" : lastWords(finished);
}

const PATIENCE = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];

/**
 * Adds Debian's own backports where the release that runs here has some, from the mirror that the
 * machine uses already. What they hold is only installed when nothing else offers it.
 *
 * @param {Progress} progress
 * @returns {Promise<(() => Promise<void>) | undefined>} takes them out again; undefined when there
 *   are none to add
 */
export async function addBackports(progress) {
  const { ID, VERSION_CODENAME: codename } = osRelease();
  if (ID !== "debian" || !codename) return undefined;
  const known = await archives();
  if (known.some(({ suite }) => suite === `${codename}-backports`)) return undefined;
  const main = known.find((one) => one.suite === codename && one.component === "main");
  progress.step(`Adding ${codename}-backports to apt's sources (${SOURCES})`);
  const purpose = "Adding Debian's backports to apt's sources";
  const content = [
    "# Added by repoman: this release has Incus only in its backports.",
    "Types: deb",
    `URIs: ${main?.uri ?? "http://deb.debian.org/debian/"}`,
    `Suites: ${codename}-backports`,
    "Components: main",
    `Signed-By: ${KEYRING}`,
    "",
  ].join("\n");
  // apt reads no file of this ending, so it never sees half of one.
  const unfinished = `${SOURCES}.unfinished`;
  await must(await asRoot(["tee", unfinished], purpose, { input: content }), purpose);
  await must(await asRoot(["mv", unfinished, SOURCES], purpose), purpose);
  await refresh(progress, true);
  return async () => {
    await asRoot(["rm", "-f", SOURCES], purpose);
  };
}

/**
 * Installs packages without asking anything.
 *
 * @param {string[]} packages
 * @param {string} purpose such as `Installing Incus`
 * @param {Progress} progress
 * @throws {Fault} (exit 3)
 */
export async function install(packages, purpose, progress) {
  if (!which("apt-get")) {
    throw new Fault(`${purpose} needs apt, which this machine does not have`, {
      remedy: `install these with its own package manager, then start again: ${packages.join(" ")}`,
      exitCode: EXIT.environment,
    });
  }
  let complaint = "";
  if ((await available(packages)).size < packages.length) complaint = await refresh(progress);
  progress.step(`${purpose} (${packages.join(", ")})`);
  const argv = ["apt-get", "-y", "-q", ...PATIENCE, "--no-install-recommends", "install"];
  const attempt = () => asRoot([...argv, ...packages], purpose, { env: UNATTENDED });
  let finished = await attempt();
  if (finished.code !== 0 && /dpkg was interrupted/.test(finished.stderr)) {
    await asRoot(["dpkg", "--configure", "-a"], purpose, { env: UNATTENDED });
    finished = await attempt();
  }
  if (finished.code !== 0 && !refreshed) {
    // Lists that have gone stale name packages that the mirror no longer holds.
    complaint = await refresh(progress);
    finished = await attempt();
  }
  if (finished.code === 0) return;
  throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
    remedy: `${complaint ? `${complaint}\n` : ""}see what is wrong with: sudo apt-get install ${packages.join(" ")}`,
    exitCode: EXIT.environment,
  });
}

const UNATTENDED = {
  DEBIAN_FRONTEND: "noninteractive",
  // On Ubuntu, restarting services is otherwise asked about after every install.
  NEEDRESTART_MODE: "a",
  LC_ALL: "C.UTF-8",
};

/**
 * @param {import("./process.js").Finished} finished
 * @param {string} purpose
 */
function must(finished, purpose) {
  if (finished.code === 0) return finished;
  throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
    remedy: "Mend that (`apt-get update` and `apt-get -f install` tell more), then run this again.",
    exitCode: EXIT.environment,
  });
}

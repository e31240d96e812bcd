import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT, Fault } from "../../host/fault.js";
import { archives, available, osRelease } from "../incus/apt.js";
import { run, which } from "../incus/process.js";
import { extraAuthorities } from "./certificates.js";

/** The files that go into the image, and the scripts that run in it while it is made. */
export const BUILD = fileURLToPath(new URL("build", import.meta.url));

/** What a developer's container needs beyond a bare system that boots. */
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "ifupdown", "netbase", "iproute2", "iputils-ping"],
  ...["ca-certificates", "curl", "git", "less", "procps", "python3", "sudo"],
];

/**
 * All that decides what is in the image.
 *
 * @typedef {object} Recipe
 * @property {string} alias in Incus, such as `repoman/debian-12`
 * @property {string} os such as `Debian`
 * @property {string} release such as `12`
 * @property {string} codename
 * @property {string} architecture as dpkg calls it
 * @property {string} machine as the kernel and Incus call it
 * @property {string} mirror where the packages come from
 * @property {string[]} components
 * @property {string[]} packages
 * @property {string} sources the image's own apt sources
 * @property {string[]} authorities in PEM
 * @property {string} proxy for apt, or empty
 * @property {string} key of 16 hex digits: changes when any of it, or a build script, does
 */

/**
 * An image of the distribution that runs here, from the archive that it uses.
 *
 * @returns {Promise<Recipe>}
 * @throws {Fault} (exit 3) where this is not a Debian or Ubuntu
 */
export async function recipe() {
  const { VERSION_ID, VERSION_CODENAME, UBUNTU_CODENAME, DEBIAN_CODENAME, ...os } = osRelease();
  // Derived distributions name the one that they take their packages from.
  const codename = UBUNTU_CODENAME || DEBIAN_CODENAME || VERSION_CODENAME;
  const all = which("apt-get") ? await archives() : [];
  const usable = all.filter(({ uri }) => /^https?:/.test(uri));
  const main = usable.find((one) => one.suite === codename && one.component === "main");
  if (!codename || !main) {
    throw new Fault(
      `An image can be built here only from the apt archive of a Debian or Ubuntu, and ${os.PRETTY_NAME ?? "this system"} names none`,
      {
        remedy:
          "make the image server images.linuxcontainers.org reachable, or import an image and name it in the registry",
        exitCode: EXIT.environment,
      },
    );
  }
  // Of Ubuntu's packages, some that are wanted here are only in universe.
  const wanted = main.origin === "Ubuntu" ? ["main", "universe"] : ["main"];
  const own = usable.filter(
    (one) =>
      wanted.includes(one.component) &&
      [codename, `${codename}-updates`, `${codename}-security`].includes(one.suite),
  );
  const derived = codename !== VERSION_CODENAME;
  const name = (derived ? main.origin : (os.ID ?? "debian")).toLowerCase();
  const version = derived ? codename : VERSION_ID || codename;
  const [{ stdout: architecture }, { stdout: machine }, { stdout: proxy }] = await Promise.all([
    run(["dpkg", "--print-architecture"]),
    run(["uname", "-m"]),
    run(["apt-config", "shell", "P", "Acquire::http::Proxy"]),
  ]);
  const clients = ["isc-dhcp-client", "dhcpcd-base"];
  const dhcp = await available(clients);
  const plan = {
    alias: `repoman/${name}-${version}`,
    os: main.origin || "Debian",
    release: version,
    codename,
    architecture: architecture.trim(),
    machine: machine.trim(),
    mirror: main.uri,
    components: wanted,
    packages: [...PACKAGES, ...clients.filter((client) => dhcp.has(client)).slice(0, 1)],
    sources: own.map(({ uri, suite, component }) => `deb ${uri} ${suite} ${component}\n`).join(""),
    authorities: extraAuthorities(),
    proxy: proxy.match(/'(.+)'/)?.[1] ?? "",
  };
  return { ...plan, key: digest(plan) };
}

/** @param {object} plan */
function digest(plan) {
  const hash = createHash("sha256").update(JSON.stringify(plan));
  const names = readdirSync(BUILD, { recursive: true, encoding: "utf8" }).sort();
  for (const name of ["../lay-out", ...names]) {
    const file = join(BUILD, name);
    try {
      hash.update(`\0${name}\0`).update(readFileSync(file));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EISDIR") throw error;
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * The files of the image that depend on the host, by path.
 *
 * @param {Recipe} plan
 * @returns {Record<string, string>}
 */
export function hostFiles({ sources, authorities, proxy }) {
  /** @type {Record<string, string>} */
  const files = { "etc/apt/sources.list": sources };
  authorities.forEach((pem, index) => {
    files[`usr/local/share/ca-certificates/host-${index + 1}.crt`] = pem;
  });
  if (authorities.length > 0) {
    // Programs that bring a list of their own: Node, and Python's requests and pip.
    const bundle = "/etc/ssl/certs/ca-certificates.crt";
    const names = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT"];
    files["etc/environment"] = names.map((name) => `${name}=${bundle}\n`).join("");
    files["etc/profile.d/authorities.sh"] = names
      .map((name) => `export ${name}=${bundle}\n`)
      .join("");
  }
  // One on the host's own loopback would not be there in a container.
  if (proxy && !/\/\/(localhost|127\.|\[?::1)/.test(proxy)) {
    files["etc/apt/apt.conf.d/80proxy"] = `Acquire::http::Proxy "${proxy}";\n`;
  }
  return files;
}

/**
 * The description that Incus reads; `lay-out` puts the archive's day into it.
 *
 * @param {Recipe} plan
 */
export function metadata({ os, release, codename, architecture, machine, alias }) {
  const template = (/** @type {string} */ name) => ({
    when: ["create", "copy"],
    template: `${name}.tpl`,
  });
  // JSON is YAML.
  return JSON.stringify(
    {
      architecture: machine,
      creation_date: "@DATE@",
      properties: {
        description: `${os} ${release} ${codename} ${architecture} (built by repoman, @SERIAL@)`,
        os,
        release: codename,
        version: release,
        architecture,
        serial: "@SERIAL@",
        variant: alias.split("/")[0],
      },
      templates: { "/etc/hostname": template("hostname"), "/etc/hosts": template("hosts") },
    },
    null,
    2,
  );
}

// Where credentials are known to lie on a host: what lets its holder act as the user elsewhere, or
// become root here. A table of places, not a search: it is meant to be read and added to.

import { within } from "./paths.ts";

/** Below a home directory; a folder stands for all that is in it. */
const IN_HOME = [
  ".ssh",
  ".gnupg",
  ".netrc",
  ".authinfo",
  ".git-credentials",
  ".config/git/credentials",
  // Forges and their programs
  ".config/gh",
  ".config/hub",
  ".config/glab-cli",
  ".config/tea",
  // Agents
  ".claude",
  ".claude.json",
  ".codex",
  ".gemini",
  ".hermes",
  ".ollama",
  ".aider.conf.yml",
  ".config/github-copilot",
  ".config/opencode",
  ".local/share/opencode",
  // Clouds and clusters
  ".aws",
  ".azure",
  ".config/gcloud",
  ".config/doctl",
  ".config/hcloud",
  ".config/rclone",
  ".fly",
  ".kube",
  ".docker",
  ".config/containers/auth.json",
  ".terraform.d/credentials.tfrc.json",
  ".terraformrc",
  ".pulumi/credentials.json",
  ".vault-token",
  ".config/sops",
  // Package registries
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".config/pip/pip.conf",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".m2/settings.xml",
  ".gradle/gradle.properties",
  ".composer/auth.json",
  ".config/composer/auth.json",
  ".huggingface",
  ".cache/huggingface/token",
  // Databases
  ".pgpass",
  ".my.cnf",
  // Password stores, keyrings, browsers
  ".password-store",
  ".local/share/keyrings",
  ".config/op",
  ".config/Bitwarden",
  ".mozilla",
  ".config/google-chrome",
  ".config/chromium",
  ".Xauthority",
  // Incus's client certificate, and repoman's own passphrase and approvals
  ".config/incus",
  ".local/state/repoman",
  ".local/share/repoman/trusted",
];

/** Anywhere. */
const ON_HOST = [
  "/etc/shadow",
  "/etc/gshadow",
  "/etc/ssh",
  "/etc/ssl/private",
  "/etc/kubernetes",
  "/etc/wireguard",
  "/etc/NetworkManager/system-connections",
  "/root",
  "/var/lib/incus",
  "/var/lib/docker",
  "/proc",
];

/** Whoever may talk to one of these is as good as root on the host. */
const ROOTS_SOCKETS = [
  "/run/docker.sock",
  "/var/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/podman/podman.sock",
  "/var/lib/incus/unix.socket",
  "/run/incus/unix.socket",
  "/run/libvirt/libvirt-sock",
  "/run/dbus/system_bus_socket",
];

/** Sockets of agents that sign or unlock: the keys stay, and can be used. */
const AGENT = /(^|[/._-])(ssh|gpg|agent|keyring|gcr|1password|bus)([/._-]|$)/i;

/** `.env`, `.env.local`: by custom full of keys. */
const ENV_FILE = /(^|\/)\.env(\.[^/]+)?$/;

/**
 * Whether credentials are known to lie at a path of the host, below it, or in a folder above that
 * is credentials as a whole.
 *
 * @param path absolute and tidy
 * @param home absolute
 */
export function holdsCredentials(path: string, home: string): boolean {
  const places = [...IN_HOME.map((each) => `${home}/${each}`), ...ON_HOST, ...ROOTS_SOCKETS];
  // Another user's home is taken for one as well.
  const foreign = /^\/(home\/[^/]+|root)(?=\/|$)/.exec(path)?.[0];
  if (foreign && foreign !== home) {
    places.push(...IN_HOME.map((each) => `${foreign}/${each}`));
  }
  return ENV_FILE.test(path) || places.some((each) => within(path, each) || within(each, path));
}

/** Whether the one at the other end of a socket can use credentials through it. */
export function lendsCredentials(socket: string, home: string): boolean {
  return AGENT.test(socket) || holdsCredentials(socket, home);
}

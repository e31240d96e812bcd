/** Begins every key that repoman writes on an object to mark it as its own. */
export const OWN_PREFIX = "user.repoman.";

/** Whether the server itself writes this key of an instance's config. */
export function isServerKey(key: string): boolean {
  return key.startsWith("volatile.") || key.startsWith("image.");
}

/** Whether the key is one of repoman's marks. */
export function isOwnKey(key: string): boolean {
  return key.startsWith(OWN_PREFIX);
}

/** Of `security.syscalls.intercept.*`, these reach a running container all the same. */
const LIVE = new Set([
  "security.syscalls.intercept.mount.allowed",
  "security.syscalls.intercept.mount.fuse",
  "security.syscalls.intercept.mount.shift",
]);

const AT_START = [
  /^cloud-init\./,
  /^user\.(meta-data|network-config|user-data|vendor-data)$/,
  /^linux\.sysctl\./,
  /^nvidia\./,
  /^raw\.(idmap|lxc|seccomp)$/,
  /^security\.guestapi(\.|$)/,
  /^security\.idmap\./,
  /^security\.privileged$/,
  /^security\.syscalls\./,
];

/**
 * Whether a change of this key of a running container takes effect only when it starts again.
 * Source: `liveupdate` in the server's own `/1.0/metadata/configuration`, without the keys that say
 * what happens at some later time anyway (`boot.*`, `snapshots.*`, `cluster.evacuate`).
 */
export function needsRestart(key: string): boolean {
  return !LIVE.has(key) && AT_START.some((pattern) => pattern.test(key));
}

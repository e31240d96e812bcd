import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { call } from "./api.ts";
import type { Daemon } from "./daemon.ts";
import { exclusively, rigFolder } from "./place.ts";

/**
 * The tests' own images, each with its alias:
 * `busybox` and `busybox/other` differ in /etc/image and nothing else; start, stop and DHCP take a
 * fraction of a second. `broken` has no init and cannot start. `exits` starts and ends at once.
 */
export const IMAGES = ["busybox", "busybox/other", "broken", "exits"] as const;
export type Image = (typeof IMAGES)[number];

/** Waits in `wait`, so that a signal is answered at once and orphans are reaped. */
const INIT = `#!/bin/sh
trap 'exit 0' PWR TERM
ip link set lo up
hostname "$(cat /etc/hostname)"
[ ! -e /sys/class/net/eth0 ] || udhcpc -f -t 20 -T 1 -A 1 -s /etc/udhcpc.sh -i eth0 >/dev/null 2>&1 &
while :; do sleep 86400 & wait $!; done
`;

const UDHCPC = `#!/bin/sh
case $1 in
deconfig) ip link set "$interface" up ;;
bound | renew)
  ip addr flush dev "$interface"
  ip addr add "$ip/$mask" dev "$interface"
  [ -z "$router" ] || ip route add default via "$router"
  : >/etc/resolv.conf
  for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
  ;;
esac
`;

const FILES: Record<string, string> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "etc/shadow": "root:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n",
  "etc/hostname": "busybox\n",
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/resolv.conf": "",
};

/** Imports images into a daemon, all of them unless some are named. */
export async function importImages(daemon: Daemon, names: readonly Image[] = IMAGES) {
  for (const name of names) {
    const bytes = readFileSync(await tarball(name));
    const { metadata } = await call(daemon.socket, "POST", "/1.0/images", bytes);
    await setAlias(daemon, name, metadata.metadata.fingerprint);
  }
}

/** Points an alias at another image, or makes it. */
export async function setAlias(daemon: Daemon, name: string, fingerprint: string) {
  const path = `/1.0/images/aliases/${encodeURIComponent(name)}`;
  const known = await daemon.api("GET", path).catch(() => undefined);
  if (known) await daemon.api("PUT", path, { description: "", target: fingerprint });
  else await daemon.api("POST", "/1.0/images/aliases", { name, target: fingerprint });
}

/** The fingerprint that an alias stands for now. */
export async function fingerprintOf(daemon: Daemon, alias: string): Promise<string> {
  const { metadata } = await daemon.api("GET", `/1.0/images/aliases/${encodeURIComponent(alias)}`);
  return metadata.target;
}

/** Built once in a run. */
function tarball(name: Image): Promise<string> {
  const file = join(rigFolder(), `image-${name.replace("/", "-")}.tar`);
  return exclusively("images", async () => {
    if (!existsSync(file)) await build(name, file);
    return file;
  });
}

async function build(name: Image, file: string) {
  const folder = `${file}.d`;
  const root = join(folder, "rootfs");
  const folders = [
    "bin",
    "sbin",
    "dev",
    "proc",
    "sys",
    "etc",
    "tmp",
    "root",
    "run",
    "var",
    "home",
    "mnt",
  ];
  for (const one of folders) mkdirSync(join(root, one), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  const { stdout } = await execa("busybox", ["--list"]);
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of stdout.split("\n")) {
    if (applet !== "busybox" && applet !== "init")
      symlinkSync("busybox", join(root, "bin", applet));
  }
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  writeFileSync(join(root, "etc/image"), `${name}\n`);
  writeFileSync(join(root, "etc/udhcpc.sh"), UDHCPC, { mode: 0o755 });
  const init = name === "exits" ? "#!/bin/sh\nexit 1\n" : INIT;
  if (name !== "broken") writeFileSync(join(root, "sbin/init"), init, { mode: 0o755 });
  const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
  const metadata = {
    architecture,
    creation_date: 1_700_000_000,
    properties: { os: "busybox", description: `Test image ${name}` },
    templates: {
      "/etc/hostname": { when: ["create", "copy", "rename"], template: "hostname.tpl" },
    },
  };
  // JSON is YAML.
  writeFileSync(join(folder, "metadata.yaml"), JSON.stringify(metadata));
  mkdirSync(join(folder, "templates"));
  writeFileSync(join(folder, "templates/hostname.tpl"), "{{ container.name }}\n");
  await execa("tar", ["-C", folder, "--owner=0", "--group=0", "-cf", `${file}.part`, "."]);
  await execa("mv", [`${file}.part`, file]);
  rmSync(folder, { recursive: true });
}

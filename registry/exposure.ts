// What devices let a container reach of its host. Pure: it judges what is declared, not what is
// there.

import { isAbsolute } from "node:path";
import { holdsCredentials, lendsCredentials } from "./credentials.ts";
import { tidy } from "./paths.ts";
import { isTrue } from "./settings.ts";

/** One thing of the host that a container can reach. */
export interface Exposure {
  device: string;
  /**
   * - `path`: a file or directory of the host
   * - `socket`: a unix socket of the host
   * - `address`: a network address of the host's side
   * - `listener`: an address of the host that leads into the container
   * - `device`: hardware
   */
  kind: "path" | "socket" | "address" | "listener" | "device";
  /** What it is on the host. */
  host: string;
  /** Where the container sees it; empty where it has no place of its own. */
  inside: string;
  /** Whether the container can change it, or have things done by what is there. */
  writable: boolean;
  /** Whether credentials are known to be there. */
  credentials: boolean;
  /** Whether the container may start without it. */
  optional: boolean;
}

type Devices = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * @param devices by name, as Incus takes them, variables replaced
 * @param home of the user whose files they are; absolute
 */
export function exposuresOf(devices: Devices, home: string): Exposure[] {
  return Object.entries(devices).flatMap(([device, options]) => {
    const { type = "" } = options;
    const optional = options.required !== undefined && !isTrue(options.required);
    if (type === "disk") return disk(device, options, home, optional);
    if (type === "proxy") return proxy(device, options, home);
    if (["gpu", "usb", "pci", "unix-char", "unix-block", "unix-hotplug", "tpm"].includes(type)) {
      const host = options.source || options.path || options.pci || options.id || type;
      const inside = options.path ?? "";
      const writable = true;
      return [{ device, kind: "device", host, inside, writable, credentials: false, optional }];
    }
    return [];
  });
}

function disk(
  device: string,
  options: Readonly<Record<string, string>>,
  home: string,
  optional: boolean,
): Exposure[] {
  const { source = "", path: inside = "", readonly = "" } = options;
  // Volumes of a pool and remote file systems are nothing of the host's.
  if (options.pool || !isAbsolute(source)) return [];
  const host = tidy(source);
  const writable = !isTrue(readonly);
  const credentials = holdsCredentials(host, home);
  return [{ device, kind: "path", host, inside, writable, credentials, optional }];
}

function proxy(
  device: string,
  options: Readonly<Record<string, string>>,
  home: string,
): Exposure[] {
  const { listen = "", connect = "", bind = "" } = options;
  const intoHost = /^(instance|container|guest)$/.test(bind);
  const [host, inside] = intoHost ? [connect, listen] : [listen, connect];
  const socket = /^unix:(.*)$/.exec(host)?.[1];
  const place = /^unix:(.*)$/.exec(inside)?.[1] ?? inside;
  const common = { device, inside: place, writable: true, optional: true };
  if (!intoHost) return [{ ...common, kind: "listener", host, credentials: false }];
  if (socket === undefined) return [{ ...common, kind: "address", host, credentials: false }];
  const credentials = lendsCredentials(socket, home);
  return [{ ...common, kind: "socket", host: socket, credentials }];
}

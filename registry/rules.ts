import { isIP } from "node:net";
import { nearest, quote } from "./text.ts";

/** Why a value will not do: the end of a sentence that begins with the field and the value. */
export interface Complaint {
  what: string;
  remedy: string;
}

/** Checks one value; silent when it is good. */
export type Rule = (value: string) => Complaint | undefined;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The name of an instance. Incus takes 1 to 63 letters, digits and hyphens, no hyphen at either end,
 * and not digits alone (`IsHostname` in its source), which also rules out whatever a shell or a path
 * could trip over.
 */
export const instanceName: Rule = (name) => {
  const fixed = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  const example = !fixed ? "my-project" : /^\d+$/.test(fixed) ? `p${fixed}`.slice(0, 63) : fixed;
  const remedy = `use letters, digits and hyphens, for example ${quote(example)}`;
  if (name === "") return { what: "is empty", remedy };
  if (!/^[A-Za-z0-9-]+$/.test(name)) return { what: "has characters that Incus refuses", remedy };
  if (name.startsWith("-")) return { what: "begins with a hyphen", remedy };
  if (name.endsWith("-")) return { what: "ends with a hyphen", remedy };
  if (name.length > 63) return { what: `has ${name.length} characters, Incus takes 63`, remedy };
  if (/^\d+$/.test(name)) return { what: "is a number, which Incus refuses as a name", remedy };
  return undefined;
};

/**
 * The name of a profile: what Incus 6 and the stricter later servers both take
 * (`IsAPIName`: 64 characters, no white space, none of `$ ? & + " ' \` * /`, alphanumeric ends).
 */
export const profileName: Rule = (name) => {
  const remedy =
    "use letters, digits, hyphens, dots and underscores, with a letter or digit at both ends";
  if (name === "") return { what: "is empty", remedy };
  if (name.length > 64) return { what: `has ${name.length} characters, Incus takes 64`, remedy };
  if (/\s/.test(name) || CONTROL.test(name)) return { what: "contains white space", remedy };
  if (/[$?&+"'`*/]/.test(name)) return { what: "has characters that Incus refuses", remedy };
  if (!/^[a-zA-Z0-9]([^\n]*[a-zA-Z0-9])?$/.test(name)) {
    return { what: "does not begin and end with a letter or digit", remedy };
  }
  return undefined;
};

/** The name of an Incus project (`projectValidateName`, and the stricter `IsAPIName`). */
export const incusProjectName: Rule = (name) => {
  if (name.includes("_")) {
    return { what: "contains an underscore, which Incus refuses", remedy: "use a hyphen instead" };
  }
  return profileName(name);
};

/** The name of a device (`IsDeviceName`). */
export const deviceName: Rule = (name) => {
  const remedy = "use 1 to 63 letters, digits, hyphens, dots and underscores";
  if (name === "") return { what: "is empty", remedy };
  if (name.length > 63) return { what: `has ${name.length} characters, Incus takes 63`, remedy };
  if (name.startsWith(".")) return { what: "begins with a dot", remedy };
  if (!/^[A-Za-z0-9/.:_-]+$/.test(name)) {
    return { what: "has characters that Incus refuses", remedy };
  }
  return undefined;
};

/** An image as the `incus` client takes it: `remote:alias`, a local alias or a fingerprint. */
export const image: Rule = (value) => {
  const remedy = 'write it as the incus client does, for example "images:debian/12/cloud"';
  if (value === "") return { what: "is empty", remedy };
  if (value.startsWith("-")) return { what: "begins with a hyphen", remedy };
  if (/\s/.test(value) || CONTROL.test(value)) return { what: "contains white space", remedy };
  const bad = /["'`\\$;&|<>?#*]/.exec(value)?.[0];
  if (bad) return { what: `contains ${quote(bad)}, which no image name has`, remedy };
  if (value.startsWith(":")) return { what: "names no remote before the colon", remedy };
  if (value.endsWith(":")) return { what: "names a remote but no image", remedy };
  return undefined;
};

/** `owner`, `none`, or lines of `raw.idmap`. */
export const idmap: Rule = (value) => {
  const line = /^(uid|gid|both) \d{1,10}(-\d{1,10})? \d{1,10}(-\d{1,10})?$/;
  const lines = value.replace(/\n$/, "").split("\n");
  if (value === "owner" || value === "none" || lines.every((each) => line.test(each))) {
    return undefined;
  }
  return {
    what: "is no id map",
    remedy: 'write "owner", "none", or lines such as "both 1000 1000" (ids outside, then inside)',
  };
};

/** A cluster member, or `@group`. */
export const target: Rule = (value) =>
  /^@?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(value)
    ? undefined
    : {
        what: "is no cluster member and no group",
        remedy: 'write a member\'s name or "@" and a group, as "incus cluster list" shows them',
      };

/** The name of an environment variable. */
export const envName: Rule = (name) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? undefined
    : {
        what: "is no name of an environment variable",
        remedy: "use letters, digits and underscores, and no digit at the beginning",
      };

/**
 * The value of an environment variable. Incus writes it into a line-based LXC file: older servers
 * do not check, and a line break there would add configuration of the container's choosing.
 */
export const envValue: Rule = (value) =>
  /[\n\r\0]/.test(value)
    ? {
        what: "contains a line break, which Incus refuses in the environment",
        remedy: "put the text into a file that the container can read, and name the file here",
      }
    : undefined;

/** An Incus config key that a user may set. */
export const configKey: Rule = (key) => {
  if (key.startsWith("volatile.")) {
    return {
      what: "is the server's own: it notes there what it last did with the container",
      remedy: "remove it",
    };
  }
  if (key.startsWith("image.")) {
    return {
      what: "is the server's own: it copies it from the image",
      remedy: "remove it; to keep a note of yours use a key that begins with user.",
    };
  }
  if (key === "user.repoman" || key.startsWith("user.repoman.")) {
    return {
      what: "is repoman's own mark of what belongs to it",
      remedy: "remove it; to keep a note of yours use another key that begins with user.",
    };
  }
  if (key === "raw.idmap") {
    return {
      what: "is written by repoman, so that the repository has the same owner on both sides",
      remedy: "remove it; a second map would take files away from their owner",
    };
  }
  if (key.startsWith("environment.")) return envName(key.slice("environment.".length));
  if (!/^[A-Za-z0-9][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/*:-]+)+$/.test(key)) {
    return {
      what: "is no config key of Incus",
      remedy: 'write keys such as "limits.memory" or "user.note"; "incus config set" lists them',
    };
  }
  return undefined;
};

/** An entry of `ignore`: a config key, or `device:<name>`. */
export const ignoreEntry: Rule = (entry) => {
  const device = /^device:(.*)$/s.exec(entry)?.[1];
  if (device !== undefined) return deviceName(device);
  return /^[A-Za-z0-9][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/*:-]+)+$/.test(entry)
    ? undefined
    : {
        what: "is neither a config key nor a device",
        remedy: 'write "limits.cpu" for a config key or "device:gpu0" for a device',
      };
};

/** Types of devices that Incus 6 knows for containers. */
export const DEVICE_TYPES = [
  "disk",
  "gpu",
  "infiniband",
  "nic",
  "none",
  "pci",
  "proxy",
  "tpm",
  "unix-block",
  "unix-char",
  "unix-hotplug",
  "usb",
];

/** The `type` of a device. */
export const deviceType: Rule = (type) => {
  if (DEVICE_TYPES.includes(type)) return undefined;
  const near = nearest(type, DEVICE_TYPES);
  return {
    what: "is no type of device",
    remedy: near ? `did you mean ${quote(near)}?` : `use one of ${DEVICE_TYPES.join(", ")}`,
  };
};

/** An address of the host, or nothing. */
export const address: Rule = (value) =>
  value === "" || isIP(value)
    ? undefined
    : { what: "is no IP address", remedy: 'write one such as "192.168.1.20", or "" for none' };

/** Free text on one line. */
export const line: Rule = (value) =>
  CONTROL.test(value)
    ? { what: "contains control characters", remedy: "write it as plain text on one line" }
    : undefined;

/** Text that Incus can keep: anything without NUL. */
export const text: Rule = (value) =>
  value.includes("\0") ? { what: "contains a NUL character", remedy: "remove it" } : undefined;

/** A file system's type or a mount's source, as /proc/self/mountinfo has them. */
export const mountWord: Rule = (value) =>
  value === "" || CONTROL.test(value)
    ? { what: "is no type and no source of a mount", remedy: "write it as findmnt shows it" }
    : undefined;

/** An exclude pattern of rsync. */
export const excludePattern: Rule = (value) => {
  if (value === "") return { what: "is empty", remedy: "remove it" };
  if (/[\0\r\n]/.test(value)) {
    return { what: "contains a line break", remedy: "write one pattern a string" };
  }
  if (/^\/?\.?\/*\**\/*$/.test(value)) {
    return {
      what: "would leave out the whole repository",
      remedy: "write backup = false where nothing is to be mirrored",
    };
  }
  return undefined;
};

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { askAt, codeOf, foreignMount, type Silence } from "../host/look.ts";
import type { Mount } from "../host/mountinfo.ts";

/** What reading a file gave: its text, nothing where there is no file, or why it cannot be read. */
export type Reading = { text: string } | Unread;

type Unread = { missing: true } | { refused: string };

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Reads a text file without trusting it: a pipe or a device cannot hold up the reader, a huge file
 * cannot fill its memory, and the file that is judged is the one that is read.
 *
 * @param file absolute path
 * @param limits `most` in bytes; `links`: whether the last part may be a symbolic link
 */
export async function readText(
  file: string,
  limits: { most: number; links: boolean },
): Promise<Reading> {
  const reading = await readBytes(file, limits);
  if (!("bytes" in reading)) return reading;
  const text = decode(reading.bytes);
  return text === undefined ? { refused: "is not UTF-8 text" } : { text };
}

/** The text that bytes stand for, without a byte order mark; nothing where they are not UTF-8. */
export function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads a file of any bytes that lies where something may not answer, such as on a file server that
 * is gone. Links in the last part are never followed. Bounded in time.
 *
 * @param most in bytes
 */
export async function readBounded(
  file: string,
  most: number,
): Promise<{ bytes: Buffer } | Unread | Silence> {
  const mount = foreignMount(file);
  return mount ? readThere(file, mount, most) : readBytes(file, { most, links: false });
}

/** From children that can be left behind. */
async function readThere(file: string, mount: Mount, most: number) {
  const stated = await askAt(mount, ["stat", "--printf=%F", "--", file]);
  if ("silent" in stated) return stated;
  if (stated.code !== 0) return unread(codeOf(stated), false);
  const type = stated.stdout.toString();
  if (type === "symbolic link") return unread("ELOOP", false);
  if (type === "directory") return { refused: "is a directory" };
  if (!type.startsWith("regular")) return { refused: "is not a regular file" };
  const read = await askAt(
    mount,
    [
      "dd",
      `if=${file}`,
      "iflag=nofollow,nonblock,fullblock,count_bytes",
      ...["bs=64K", `count=${most + 1}`, "status=none"],
    ],
    { maxOutput: most + 1 },
  );
  if ("silent" in read) return read;
  if (read.code !== 0) return unread(codeOf(read), false);
  return read.stdout.length > most ? tooLarge(most) : { bytes: read.stdout };
}

function tooLarge(most: number): Unread {
  return { refused: `is larger than ${Math.round(most / 1024)} KiB` };
}

function unread(code: string | undefined, links: boolean): Unread {
  if (code === "ENOENT" || code === "ENOTDIR") return { missing: true };
  if (code === "ELOOP") return { refused: links ? "is a link to itself" : "is a symbolic link" };
  if (code === "ENXIO") return { refused: "is not a regular file" };
  return { refused: `cannot be read (${code})` };
}

/** The same where all of the way to it is known to answer. */
export async function readBytes(
  file: string,
  { most, links }: { most: number; links: boolean },
): Promise<{ bytes: Buffer } | Unread> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    handle = await open(file, O_RDONLY | O_NONBLOCK | (links ? 0 : O_NOFOLLOW));
  } catch (error) {
    return unread((error as NodeJS.ErrnoException).code, links);
  }
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) return { refused: "is a directory" };
    if (!stat.isFile()) return { refused: "is not a regular file" };
    if (stat.size > most) return tooLarge(most);
    // It may grow while it is read.
    const buffer = Buffer.alloc(most + 1);
    let length = 0;
    while (length <= most) {
      const { bytesRead } = await handle.read(buffer, length, most + 1 - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > most) return tooLarge(most);
    return { bytes: buffer.subarray(0, length) };
  } catch (error) {
    return { refused: `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})` };
  } finally {
    await handle.close();
  }
}

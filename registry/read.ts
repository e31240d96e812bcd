import { constants } from "node:fs";
import { open } from "node:fs/promises";

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

/** The same for a file of any bytes. */
export async function readBytes(
  file: string,
  { most, links }: { most: number; links: boolean },
): Promise<{ bytes: Buffer } | Unread> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    handle = await open(file, O_RDONLY | O_NONBLOCK | (links ? 0 : O_NOFOLLOW));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { missing: true };
    if (code === "ELOOP") return { refused: links ? "is a link to itself" : "is a symbolic link" };
    if (code === "ENXIO") return { refused: "is not a regular file" };
    return { refused: `cannot be read (${code})` };
  }
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) return { refused: "is a directory" };
    if (!stat.isFile()) return { refused: "is not a regular file" };
    const tooLarge = { refused: `is larger than ${Math.round(most / 1024)} KiB` };
    if (stat.size > most) return tooLarge;
    // It may grow while it is read.
    const buffer = Buffer.alloc(most + 1);
    let length = 0;
    while (length <= most) {
      const { bytesRead } = await handle.read(buffer, length, most + 1 - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > most) return tooLarge;
    return { bytes: buffer.subarray(0, length) };
  } catch (error) {
    return { refused: `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})` };
  } finally {
    await handle.close();
  }
}

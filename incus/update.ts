import { isDeepStrictEqual } from "node:util";
import { type About, NotFound, PreconditionFailed } from "./errors.ts";
import { missingPart } from "./mapping.ts";
import type { Versioned } from "./types.ts";

const ATTEMPTS = 8;

/**
 * Read, change, write: the write carries the ETag that was read, and when somebody else was quicker
 * the change is made anew on what is there now.
 * @param read the object as its PUT takes it
 * @param mutate gets a copy, returns what is wanted
 * @param put writes it
 * @returns whether there was anything to write
 * @throws PreconditionFailed when it changes faster than it can be written
 */
export async function readModifyWrite<T>(
  about: About,
  read: () => Promise<Versioned<T>>,
  mutate: (current: T) => T,
  put: (wanted: T, etag: string) => Promise<void>,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { value, etag } = await read();
    const wanted = mutate(structuredClone(value));
    if (isDeepStrictEqual(wanted, value)) return false;
    try {
      await put(wanted, etag);
      return true;
    } catch (error) {
      if (error instanceof NotFound) {
        // The object was there a moment ago: it is gone by now, or the server means something else
        // that the object names.
        await read();
        throw missingPart(about, error);
      }
      if (!(error instanceof PreconditionFailed)) throw error;
      if (attempt >= ATTEMPTS) {
        throw new PreconditionFailed(
          about,
          `somebody else changed it ${ATTEMPTS} times in between`,
          {
            status: 412,
            remedy:
              "find out what keeps changing it (`incus monitor --pretty`), then run this again",
            cause: error,
          },
        );
      }
    }
  }
}

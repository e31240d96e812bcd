import { dirname } from "node:path";
import { paths } from "../../host/paths.js";
import { provideLocalImage } from "../../tools/image/index.js";
import type { Daemon } from "./daemon.ts";
import { exclusively } from "./place.ts";

/**
 * Imports the Debian system image that set-up builds and caches on machines which cannot reach the
 * public image server. There is no network in here to build it from nothing.
 *
 * @returns its alias
 */
export function importDebian(daemon: Daemon): Promise<string> {
  const cache = process.env.REPOMAN_RIG_CACHE ?? "";
  const env = { ...process.env, XDG_CACHE_HOME: dirname(cache) };
  // The lock is for the half of the image that may still have to be finished.
  return exclusively("debian", () =>
    provideLocalImage(daemon.socket, {
      paths: paths(env),
      env,
      progress: { step: (text) => void process.stderr.write(`${text}\n`) },
    }),
  );
}

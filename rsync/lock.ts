import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { HeldLock, tryLock } from "../host/lock.js";
import type { CheckedSpec } from "./spec.ts";

/**
 * Takes the lock under which a repository is mirrored, verified and restored: one at a time.
 *
 * @throws {Fault} conflict: somebody else is at it; environment: the lock cannot be taken
 */
export function lockRepository(spec: CheckedSpec): HeldLock {
  const file = join(spec.recordsDir, ".run", `${spec.name}.lock`);
  let lock: ReturnType<typeof tryLock>;
  try {
    lock = tryLock(file, `pid ${process.pid}`);
  } catch (cause) {
    throw new Fault(`The lock ${file} cannot be taken: ${(cause as Error).message}`, {
      remedy: "Make the state folder writable for this user, and see that flock is installed.",
      exitCode: EXIT.environment,
      cause,
    });
  }
  if (lock instanceof HeldLock) return lock;
  throw new Fault(`Backup of ${spec.name} is already running (begun by ${lock.holder})`, {
    remedy: "Wait until it is through. An rsync whose parent was killed holds the lock as well.",
    exitCode: EXIT.conflict,
  });
}

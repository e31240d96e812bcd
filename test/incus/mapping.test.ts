import { describe, expect, test } from "vitest";
import {
  AlreadyExists,
  BadRequest,
  Busy,
  Forbidden,
  IncusError,
  InUse,
  MemberDown,
  NotFound,
  named,
  OperationFailed,
  PreconditionFailed,
  SavedWithFailures,
  TimedOut,
  Unreachable,
} from "../../incus/errors.ts";
import { creating, fromOperation, fromResponse } from "../../incus/mapping.ts";
import { firstError } from "../../incus/startlog.ts";

const about = { verb: "update", subject: named("instance", "alpha", "repoman") };
const reply = (errorCode: number, error: string) => ({ status: errorCode, errorCode, error });

describe("an error reply", () => {
  // Code and text as Incus 6.0.4 gives them.
  test.each([
    [404, 'Failed to fetch instance "x" in project "default": Instance not found', NotFound],
    [412, "ETag doesn't match: 1 vs 2", PreconditionFailed],
    [403, "not authorized", Forbidden],
    [500, 'User does not have permissions for project "default"', Forbidden],
    [503, "Daemon is starting up", Unreachable],
    [500, "Profile is currently in use", InUse],
    [500, "Only empty projects can be removed.", InUse],
    [500, 'Instance is busy running a "stop" operation', Busy],
    [500, "Missing event connection with target cluster member", MemberDown],
    [500, "Server isn't ready yet", MemberDown],
    [
      500,
      'Post "https://127.0.0.1:4/1.0/instances?target=m2": Unable to connect to: 127.0.0.1:4 ([dial tcp])',
      MemberDown,
    ],
    [404, "Missing event connection with target cluster member", MemberDown],
    [500, 'Error inserting "pr" into database: The profile already exists', AlreadyExists],
    [
      500,
      'Failed to create "projects" entry: UNIQUE constraint failed: projects.name',
      AlreadyExists,
    ],
    [
      500,
      "The following instances failed to update (profile change still saved):",
      SavedWithFailures,
    ],
    [500, "Unknown configuration key: foo", BadRequest],
    [500, 'Requested profile "nope" doesn\'t exist', BadRequest],
    [400, "Instance is not running", BadRequest],
    [500, "something else", IncusError],
  ])("%i %s is %o", (code, text, kind) => {
    const error = fromResponse(about, reply(code, text));
    expect(error.constructor).toBe(kind);
    expect(error.message).toContain('cannot update instance "alpha" in project "repoman": ');
    expect(error.name).toBe(kind.name);
  });

  test("carries the exit code of its kind", () => {
    expect(fromResponse(about, reply(412, "ETag")).exitCode).toBe(4);
    expect(fromResponse(about, reply(503, "Shutting down")).exitCode).toBe(3);
    expect(fromResponse(about, reply(500, "disk on fire")).exitCode).toBe(1);
  });

  test("without a text still says what the server answered", () => {
    expect(fromResponse(about, reply(500, "")).message).toContain("answers 500");
  });

  test("says what to do where that is known", () => {
    expect(fromResponse(about, reply(500, "Profile is currently in use")).remedy).toContain(
      "used_by",
    );
    const full = fromResponse(about, reply(500, "write /x: no space left on device"));
    expect(full.remedy).toContain("incus storage info");
  });
});

describe("a failed operation", () => {
  test("is never NotFound, whatever its text says", () => {
    for (const text of ["Image not found", "Profile not found", "not found"]) {
      expect(fromOperation(about, text)).toBeInstanceOf(OperationFailed);
    }
  });

  test("is told apart by its text", () => {
    expect(fromOperation(about, 'Instance is busy running a "stop" operation')).toBeInstanceOf(
      Busy,
    );
    expect(
      fromOperation(
        about,
        'Failed shutting down instance, status is "Running": context deadline exceeded',
      ),
    ).toBeInstanceOf(TimedOut);
    expect(fromOperation(about, "unexpected EOF")).toBeInstanceOf(MemberDown);
    const image =
      'Failed getting remote image info: Failed getting image: Get "https://i/": Unable to connect to: i';
    expect(fromOperation(about, image)).toMatchObject({
      name: "OperationFailed",
      remedy: expect.stringContaining("core.proxy_https"),
    });
    const idmap = fromOperation(
      about,
      'newuidmap failed to write mapping "newuidmap: uid range [1234-1235) -> [1234-1235) not allowed"',
    );
    expect(idmap.remedy).toContain("/etc/subuid");
  });
});

test("a 404 while something is made means a part of it, not the thing itself", async () => {
  const missing = fromResponse(about, reply(404, "Failed loading project: Project not found"));
  await expect(creating(about, Promise.reject(missing))).rejects.toBeInstanceOf(BadRequest);
});

test("of a container's log, the first error is the reason", () => {
  const log = [
    "lxc b 20261121095133.640 WARN     cgfsng - ../src/lxc/cgroups/cgfsng.c:fchowmodat:1619 - No such file",
    'lxc b 20261121095133.684 ERROR    start - ../src/lxc/start.c:start:2197 - Failed to exec "/sbin/init"',
    'lxc b 20261121095133.685 ERROR    start - ../src/lxc/start.c:__lxc_start:2107 - Failed to spawn container "b"',
  ].join("\n");
  expect(firstError(log)).toBe('Failed to exec "/sbin/init"');
  expect(firstError("")).toBeUndefined();
});

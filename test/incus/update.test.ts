import { describe, expect, test } from "vitest";
import { BadRequest, NotFound, PreconditionFailed } from "../../incus/errors.ts";
import { readModifyWrite } from "../../incus/update.ts";

const about = { verb: "update", subject: "it" };

/** An object with versions; `others` is what somebody else does before each write. */
function object(start: number[], others: (() => void)[] = []) {
  const state = { value: start, version: 1, writes: 0 };
  const change = (value: number[]) => {
    state.value = value;
    state.version++;
  };
  return {
    state,
    change,
    read: async () => ({ value: state.value, etag: `v${state.version}` }),
    put: async (wanted: number[], etag: string) => {
      others.shift()?.();
      if (etag !== `v${state.version}`) throw new PreconditionFailed(about, "ETag doesn't match");
      state.writes++;
      change(wanted);
    },
  };
}

describe("read, change, write", () => {
  test("writes nothing when there is nothing to change", async () => {
    const it = object([1]);
    expect(await readModifyWrite(about, it.read, (now) => [...now], it.put)).toBe(false);
    expect(it.state.writes).toBe(0);
  });

  test("makes the change anew on what somebody else wrote meanwhile", async () => {
    const it = object([1], [() => it.change([1, 2])]);
    expect(await readModifyWrite(about, it.read, (now) => [...now, 9], it.put)).toBe(true);
    expect(it.state.value).toEqual([1, 2, 9]);
  });

  test("gives up on what never stands still", async () => {
    const it = object([1]);
    const restless = async (wanted: number[], etag: string) => {
      it.change([...it.state.value, 0]);
      await it.put(wanted, etag);
    };
    const update = readModifyWrite(about, it.read, (now) => [...now, 9], restless);
    await expect(update).rejects.toMatchObject({ name: "PreconditionFailed", exitCode: 4 });
  });

  test("may not be misled by a mutation in place", async () => {
    const it = object([1]);
    const inPlace = (now: number[]) => {
      now.push(2);
      return now;
    };
    expect(await readModifyWrite(about, it.read, inPlace, it.put)).toBe(true);
    expect(it.state.value).toEqual([1, 2]);
  });

  test("takes a 404 for the object's end only when it is gone", async () => {
    const refuse = async () => {
      throw new NotFound(about, "Profile not found", { status: 404 });
    };
    const it = object([1]);
    await expect(readModifyWrite(about, it.read, () => [2], refuse)).rejects.toBeInstanceOf(
      BadRequest,
    );
    let reads = 0;
    const vanishing = async () => {
      if (++reads > 1) throw new NotFound(about, "Instance not found");
      return it.read();
    };
    await expect(readModifyWrite(about, vanishing, () => [2], refuse)).rejects.toBeInstanceOf(
      NotFound,
    );
  });
});

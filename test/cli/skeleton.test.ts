import { expect, test } from "vitest";
import { skeleton } from "../../cli/profiles/skeleton.ts";
import { GOOD, read } from "../registry/rig.ts";

const LINES = skeleton("mine").split("\n");

/** What the skeleton says with some of its lines uncommented. */
async function profile(wanted: (line: string) => boolean) {
  const text = LINES.map((line) =>
    /^# {2}/.test(line) && wanted(line) ? line.slice(1) : line,
  ).join("\n");
  const { library, problems } = await read({
    "repoman.toml": GOOD,
    "profiles.d/mine.yml": text,
  });
  expect(problems, text).toEqual([]);
  return library.get("mine");
}

const none = () => false;

test("a new profile is valid as it is, and changes nothing", async () => {
  expect(await profile(none)).toMatchObject({ description: "", config: {}, devices: {} });
});

test.each(LINES.filter((line) => /^# {2}\S+\.\S+: /.test(line)))(
  "the line %j means what it says without its #",
  async (chosen) => {
    const [key = "", value] = chosen.slice(1).trim().split(": ");
    const found = await profile((line) => line === chosen);
    expect(found).toMatchObject({ config: { [key]: value }, devices: {} });
  },
);

test("so do the lines of the devices, and all at once", async () => {
  const found = await profile(() => true);
  expect(Object.keys(found?.config ?? {})).toEqual(["environment.EDITOR", "limits.memory"]);
  expect(found?.devices).toMatchObject({
    cache: { type: "disk", required: "false" },
    service: { type: "proxy", bind: "instance" },
  });
});

import { expect, test } from "vitest";
import { profileDifferences, standing } from "../../survey/profiles.ts";

const PROFILE = { name: "p", description: "", config: {}, devices: {}, used_by: [] };

test("profiles differ by meaning: keys, devices and options, not repoman's marks", () => {
  const is = {
    description: "one",
    config: { "limits.cpu": "1", "user.repoman.template": "x", "user.x": "1" },
    devices: { a: { type: "disk", path: "/a" }, b: { type: "none" } },
  };
  const wanted = {
    description: "two",
    config: { "user.x": "1", "limits.memory": "1GiB" },
    devices: { c: { type: "none" }, a: { path: "/b", type: "disk" } },
  };
  expect(profileDifferences(is, wanted)).toEqual([
    { property: "description", is: "one", wanted: "two" },
    { property: "config.limits.cpu", is: "1", wanted: undefined },
    { property: "config.limits.memory", is: undefined, wanted: "1GiB" },
    { property: "devices.a.path", is: "/a", wanted: "/b" },
    { property: "devices.b", is: { type: "none" }, wanted: undefined },
    { property: "devices.c", is: undefined, wanted: { type: "none" } },
  ]);
  expect(profileDifferences(wanted, { ...wanted, config: { ...wanted.config } })).toEqual([]);
});

test("a profile's standing names its stacks and the instances that use it", () => {
  const config = { "user.repoman.stack.me": "host", "user.repoman.stack.you": "other" };
  const used_by = ["/1.0/instances/x", "/1.0/instances/y%20z?project=repo", "/1.0/profiles/q"];
  expect(standing({ ...PROFILE, config, used_by }, { id: "me" })).toEqual({
    managed: true,
    own: true,
    others: ["other"],
    users: ["x", "repo/y z"],
  });
  expect(standing(PROFILE, { id: "me" })).toMatchObject({ managed: false, own: false });
});

import { describe, expect, test } from "vitest";
import { idInState } from "../../cli/pulumi/stack.ts";

const resource = (id: unknown, type = "pulumi-nodejs:dynamic/repoman:RepoContainer") => ({
  urn: "urn:pulumi:host::repoman::x::alpha",
  type,
  inputs: { owner: { id, stack: "host" } },
});

describe("the id in Pulumi's state", () => {
  test("is the one that the resources agree on", () => {
    expect(idInState({ resources: [resource("abcd1234"), resource("abcd1234")] }, "host")).toBe(
      "abcd1234",
    );
  });

  test("is not looked for in other people's resources, nor in marks that were taken off", () => {
    const resources = [
      resource("other123", "aws:s3:Bucket"),
      resource(""),
      resource(7),
      { urn: "u", type: "pulumi-nodejs:dynamic/repoman:IncusProject" },
    ];
    expect(idInState({ resources }, "host")).toBeUndefined();
    expect(idInState({}, "host")).toBeUndefined();
    expect(idInState(undefined, "host")).toBeUndefined();
  });

  test("is a conflict where they disagree", () => {
    expect(() =>
      idInState({ resources: [resource("aaaa1111"), resource("bbbb2222")] }, "host"),
    ).toThrow(
      /different ids: aaaa1111, bbbb2222\n {2}Say which is right: write `repoman:stackId: ID`/,
    );
  });
});

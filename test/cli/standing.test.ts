import { expect, test } from "vitest";
import { withoutStanding } from "../../cli/pulumi/standing.ts";
import { profileTargets, targetFlags, upTargets } from "../../cli/pulumi/targets.ts";

const resource = (type: string, name: string, inputs = {}) => ({
  type,
  urn: `urn:pulumi:rig::repoman::${type}::${name}`,
  inputs,
});
const dynamic = (type: string) => `pulumi-nodejs:dynamic/repoman:${type}`;

const STATE = {
  resources: [
    resource("repoman:index:Estate", "rig"),
    resource("repoman:index:ProfileLibrary", "rig"),
    resource(dynamic("IncusProject"), "repoman"),
    resource(dynamic("IncusProfile"), "tools"),
    resource(dynamic("IncusProfile"), "other"),
    resource(dynamic("RepoContainer"), "web", { profiles: ["default", "tools", "other"] }),
    resource(dynamic("RepoContainer"), "gone", { profiles: ["default", "tools"] }),
  ],
};
const left = (flags: string[], state: Parameters<typeof withoutStanding>[1], ...all: string[]) =>
  withoutStanding(flags, state, all).filter((flag) => flag !== "--target");

const WEB = targetFlags(upTargets(["web"], ["tools", "other"]));

test("where nothing is up, all of the way is a target", () => {
  expect(withoutStanding(WEB, undefined, ["web"])).toEqual(WEB);
  expect(withoutStanding(WEB, {}, ["web"])).toEqual(WEB);
});

test("components that are there are none, and what can drift is", () => {
  expect(left(WEB, STATE, "web", "gone")).toEqual([
    "**dynamic/repoman:IncusProject::**",
    "**dynamic/repoman:IncusProfile::tools",
    "**dynamic/repoman:IncusProfile::other",
    "**repoman:index:Workspace::web",
    "**repoman:index:Workspace$**::web",
  ]);
});

test("what a container needs that is leaving is none either", () => {
  expect(left(WEB, STATE, "web")).toEqual([
    "**dynamic/repoman:IncusProfile::other",
    "**repoman:index:Workspace::web",
    "**repoman:index:Workspace$**::web",
  ]);
});

test("a run that has no target left does not become one of everything", () => {
  const all = targetFlags(upTargets([], []));
  expect(left([...all, "--skip-preview"], STATE, "web")).toEqual([
    "--skip-preview",
    "**::no-resource-has-this-type::**",
  ]);
  expect(left(["--skip-preview"], STATE, "web")).toEqual(["--skip-preview"]);
});

test("a new profile is put beside the others", () => {
  expect(left(targetFlags(profileTargets(["new"])), STATE, "web", "gone")).toEqual([
    "**dynamic/repoman:IncusProfile::new",
  ]);
});

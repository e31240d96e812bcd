import { describe, expect, it } from "vitest";
import { addProject, newRegistry, removeProject } from "../../registry/edit/edits.ts";
import { schemaUrl } from "../../registry/json-schema.ts";
import { read } from "./rig.ts";

describe("a new registry", () => {
  it("says what it was given, and is good", async () => {
    const text = newRegistry({
      host: { lan_ip: "192.168.1.20" },
      defaults: { repos_root: "~/code", backup_root: "/backup", profiles: ["default", "x"] },
      project: [
        {
          name: "alpha",
          image: "images:debian/12",
          env: { A: "1" },
          config: { "limits.cpu": "2" },
        },
        { name: "beta", device: { gpu0: { type: "gpu" } } },
      ],
    });
    const { registry, problems, home } = await read({ "repoman.toml": text });
    expect(problems).toEqual([]);
    expect(registry).toMatchObject({
      schema: 3,
      lanIp: "192.168.1.20",
      defaults: { reposRoot: `${home}/code`, backupRoot: "/backup", profiles: ["default", "x"] },
      projects: [
        { name: "alpha", env: { A: "1" }, config: { "limits.cpu": "2" } },
        { name: "beta", devices: { gpu0: { type: "gpu" } } },
      ],
    });
  });

  it("names its schema first, says what each key means, and offers some that are not set", () => {
    const text = newRegistry({ defaults: { repos_root: "~/repos" } });
    expect(text.split("\n")[0]).toBe(`#:schema ${schemaUrl("repoman.schema.json")}`);
    expect(text).toMatch(/^# Where the repositories are.*\nrepos_root = "~\/repos"$/m);
    expect(text).toMatch(/^# backup_root = /m);
    expect(text).toMatch(/^# profiles = \["default"\]$/m);
    for (const line of text.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("takes a project, and is what it was without it", async () => {
    const text = newRegistry({ defaults: { repos_root: "/repos" } });
    const added = addProject({ name: "alpha" })(text);
    expect((await read({ "repoman.toml": added })).registry.projects).toHaveLength(1);
    expect(removeProject("alpha")(added)).toBe(text);
  });
});

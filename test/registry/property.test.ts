import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "../../registry/document.ts";
import { RegistryFault } from "../../registry/fault.ts";
import { Findings } from "../../registry/findings.ts";
import { parsePort } from "../../registry/port.ts";
import { instanceName } from "../../registry/rules.ts";
import { readTemplate } from "../../registry/template.ts";
import { faults, projects, render, spoil } from "./generate.ts";
import { read } from "./rig.ts";

describe("any registry", { timeout: 120_000 }, () => {
  it("resolves the same twice, or is refused with the line of each of its faults", async () => {
    const chosen = fc.uniqueArray(fc.constantFrom(...Object.keys(faults)), { maxLength: 6 });
    const made = fc.tuple(projects, fc.boolean()).chain(([list, sound]) =>
      fc.tuple(
        fc.constant(list),
        fc.array(sound ? fc.constant<string[]>([]) : chosen, {
          minLength: list.length,
          maxLength: list.length,
        }),
      ),
    );
    const seen = { sound: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(made, async ([list, choices]) => {
        const [first] = list;
        const spoiled = list.map((project, index) => {
          return first && index > 0 ? spoil(project, choices[index] ?? [], first) : project;
        });
        const { text, wrong } = render(spoiled);
        const { registry, problems } = await read({ "repoman.toml": text });
        const reported = [...new Set(problems.map(({ line }) => line))];
        expect({ text, reported }).toEqual({ text, reported: wrong });
        if (wrong.length > 0) {
          seen.refused += 1;
          const { message } = new RegistryFault(problems);
          for (const line of wrong) expect(message).toContain(`\n  repoman.toml:${line}:`);
          return;
        }
        seen.sound += 1;
        expect(registry.projects).toHaveLength(list.length);
        const again = await read({ "repoman.toml": text });
        expect(again.registry.projects).toEqual(registry.projects);
        for (const { repo, backupPath, mounts } of registry.projects) {
          expect(repo.startsWith("/repos/")).toBe(true);
          if (backupPath) expect(backupPath).toBe(repo.replace("/repos/", "/backup/"));
          for (const { source, path } of mounts) expect(`${source}${path}`).toMatch(/^\//);
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.min(seen.sound, seen.refused), JSON.stringify(seen)).toBeGreaterThan(30);
  });

  it("of any text at all is read or reported, never thrown over", () => {
    const noise = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(
          fc.constantFrom("[[", "]]", "[", "a", ".", "=", '"', "'''", "\n", "1", "{", ",", "#"),
        )
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(noise, (text) => {
        const { data, syntax } = parseDocument("/x", text);
        expect(typeof data).toBe("object");
        for (const { line } of syntax) expect(line).toBeLessThanOrEqual(text.split("\n").length);
      }),
      { numRuns: 2000 },
    );
  });

  it("has profiles of any text at all read or reported, never thrown over", () => {
    const noise = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(
          fc.constantFrom("config", ":", " ", "\n", "-", "*a", "&a", "{", "}", "?", "|", "<<", "'"),
        )
        .map((parts) => parts.join("")),
    );
    const facts = { lanIp: "", user: "u", home: "/h" };
    fc.assert(
      fc.property(noise, (text) => {
        const { template } = readTemplate("/p/x.yml", text, "user", facts, new Findings());
        expect(template.name).toBe("x");
      }),
      { numRuns: 1000 },
    );
  });
});

describe("any name", () => {
  /** Incus's own rule, word by word. */
  const incusTakes = (name: string) =>
    name.length >= 1 &&
    Buffer.byteLength(name) <= 63 &&
    !name.startsWith("-") &&
    !name.endsWith("-") &&
    !/^\d+$/.test(name) &&
    /^[-a-zA-Z0-9]+$/.test(name);

  it("is taken where Incus takes it, and the name that is proposed instead is taken", () => {
    const likely = fc.stringMatching(/^[a-z0-9 ;.~/-]{0,70}$/);
    fc.assert(
      fc.property(fc.oneof(likely, fc.string({ unit: "grapheme" })), (name) => {
        const complaint = instanceName(name);
        expect(complaint === undefined).toBe(incusTakes(name));
        const proposed = /"([^"]*)"$/.exec(complaint?.remedy ?? '"ok"')?.[1] ?? "";
        expect(incusTakes(proposed)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("any port", () => {
  it("that is read means what its parts say", () => {
    const number = fc.integer({ min: 1, max: 65_535 });
    const address = fc.option(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6().map((each) => `[${each}]`),
      ),
      { nil: "" },
    );
    const protocol = fc.constantFrom("", "/tcp", "/udp");
    fc.assert(
      fc.property(address, number, number, protocol, (where, listen, connect, kind) => {
        const written = `${where ? `${where}:` : ""}${listen}:${connect}${kind}`;
        expect(parsePort(written)).toEqual({
          listen,
          connect,
          protocol: kind === "/udp" ? "udp" : "tcp",
          address: where.replace(/[[\]]/g, "") || "127.0.0.1",
        });
      }),
    );
  });
});

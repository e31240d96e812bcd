import { describe, expect, it } from "vitest";
import { GOOD, read } from "./rig.ts";

describe("a warning", () => {
  const warned = async (toml: string) => {
    const { registry, problems } = await read({ "repoman.toml": toml });
    expect(problems).toEqual([]);
    return registry.warnings.map(({ line, column, what }) => `${line}:${column} ${what}`);
  };

  it("says that a backup is asked for and has nowhere to go", async () => {
    expect(await warned('[[project]]\nname = "alpha"\nbackup = true\n')).toEqual([
      '3:10 project "alpha": asks for a backup, and no backup_root says where to',
    ]);
  });

  it("says which variable means nothing here, and leaves it as it is", async () => {
    const toml = `${GOOD}mount = [{ source = "/\${X}", path = "/\${HOST_LAN_IP}" }]\n`;
    expect(await warned(toml)).toEqual([
      '10:21 project "alpha": mount source has ${X}, which repoman does not know and leaves as it is',
      '10:37 project "alpha": mount path has ${HOST_LAN_IP}, which is empty on this host',
    ]);
    const { registry } = await read({ "repoman.toml": toml });
    expect(registry.projects[0]?.mounts[0]?.source).toBe("/${X}");
  });

  it("says which variable is empty, since Incus keeps none", async () => {
    expect(await warned(`${GOOD}env.A = ""\n`)).toEqual([
      '10:9 project "alpha": env A is empty, and Incus keeps no empty variables',
    ]);
  });

  it("says what takes the protection away", async () => {
    const toml = `${GOOD}config.security.privileged = true\ndevice.x = { type = "disk", source = "/x", path = "/x", shift = true }\n`;
    expect(await warned(toml)).toEqual([
      expect.stringMatching(/^10:30 .*root inside root on the host/),
      expect.stringMatching(/^11:\d+ .*device x has shift/),
    ]);
  });
});

import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { chooseAddress, defaultRoute } from "../../cli/setup/lan.ts";
import { planRegistry, type Settings } from "../../cli/setup/plan.ts";

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
br0	00000000	01A8A8C0	0003	0	0	425	00000000	0	0	0
br0	00A8A8C0	00000000	0001	0	0	425	00FFFFFF	0	0	0
down0	00000000	01A8A8C0	0002	0	0	1	00000000	0	0	0
`;
const at = (address: string, family: "IPv4" | "IPv6" = "IPv4", internal = false) =>
  ({ address, family, internal }) as NetworkInterfaceInfo;
const interfaces = {
  lo: [at("127.0.0.1", "IPv4", true)],
  br0: [at("fe80::1", "IPv6"), at("192.168.168.42")],
  wlan0: [at("192.168.1.7")],
  tap0: [at("fe80::2", "IPv6")],
};
const choose = (named?: string, known?: string, routes = ROUTES) =>
  chooseAddress({ named, known, interfaces, routes })?.address;

test("the LAN address is the named interface's, else that of the default route", () => {
  expect(defaultRoute(ROUTES)).toBe("br0");
  expect(choose()).toBe("192.168.168.42");
  expect(choose("wlan0")).toBe("192.168.1.7");
  expect(choose(undefined, undefined, "Iface\n")).toBeUndefined();
  expect(() => choose("br1")).toThrow(
    /"br1" is not there\n {2}Did you mean "br0"\? There are: br0, wlan0/,
  );
  expect(() => choose("tap0")).toThrow(/"tap0" has no IPv4 address/);
});

test("an address that is still this host's stays; one that is not is found anew", () => {
  expect(choose(undefined, "192.168.1.7")).toBe("192.168.1.7");
  expect(choose("br0", "192.168.1.7")).toBe("192.168.168.42");
  expect(choose(undefined, "192.168.9.9")).toBe("192.168.168.42");
});

const SETTINGS: Settings = {
  lanIp: "192.168.168.42",
  reposRoot: "~/repos",
  backupRoot: "/nfs/repos",
  defaultImage: "images:debian/12/cloud",
};
const PROJECT = '\n[[project]] # mine\nname = "web"\n';

test("a new registry is made, and a second run finds nothing to change", () => {
  const { text, changes } = planRegistry(undefined, SETTINGS, false);
  expect(changes).toEqual([
    "it is made, with repos_root ~/repos, backup_root /nfs/repos, lan_ip 192.168.168.42",
  ]);
  expect(planRegistry(text, SETTINGS, false)).toMatchObject({ text, changes: [] });
  expect(planRegistry(text, SETTINGS, true)).toMatchObject({ text, changes: [] });
});

test("only the address is changed in one that is there, and nothing where none was found", () => {
  const before = `[host]\nlan_ip = "10.0.0.1" # br0\n\n[defaults]\nrepos_root = "/r"\n${PROJECT}`;
  expect(planRegistry(before, SETTINGS, false)).toEqual({
    text: before.replace("10.0.0.1", "192.168.168.42"),
    changes: ['lan_ip: "10.0.0.1" → "192.168.168.42"'],
  });
  const unknown = { ...SETTINGS, lanIp: undefined };
  expect(planRegistry(before, unknown, false)).toMatchObject({ text: before, changes: [] });
});

test("an older schema is migrated, the old file kept", () => {
  const before = `[repoman]\nschema = 2\n\n[defaults]\nlocal_repos = "/r"\n\n[defaults.llm]\nollama_url = "http://10.0.0.1:11434"\n${PROJECT}`;
  const { text, changes, keepsAs } = planRegistry(before, SETTINGS, false);
  expect(changes).toEqual(["schema 2 becomes 3", 'lan_ip: "10.0.0.1" → "192.168.168.42"']);
  expect(keepsAs).toBe("schema-2");
  expect(text).toContain(PROJECT);
  expect(text).not.toMatch(/llm|local_repos/);
});

test("a reset writes the settings anew, and neither the projects nor where containers are", () => {
  const before = `[repoman]\nschema = 3\noutput = "loud"\n\n[defaults]\nrepos_root = "/r"\nincus_project = "own"\ndefault_image = "mine"\nbackup_max_age = "1h"\n${PROJECT}`;
  const { text, changes } = planRegistry(before, SETTINGS, true);
  expect(text.endsWith(PROJECT)).toBe(true);
  expect(text).toContain('incus_project = "own"');
  expect(text).toContain('default_image = "mine"');
  const bare = planRegistry(before.replace(PROJECT, ""), SETTINGS, true);
  expect(bare.text).toContain('default_image = "images:debian/12/cloud"');
  expect(changes).toEqual(
    expect.arrayContaining([
      'output: "loud" → not set',
      'repos_root: "/r" → "~/repos"',
      'backup_max_age: "1h" → not set',
      'backup_root: not set → "/nfs/repos"',
    ]),
  );
});

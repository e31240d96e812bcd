import { describe, expect, it } from "vitest";
import {
  addProject,
  type Edit,
  removeProject,
  renameProject,
  setProject,
  setTable,
} from "../../registry/edit/edits.ts";

type Case = [title: string, before: string, edit: Edit, after: string];

const cases = (title: string, list: Case[]): void => {
  describe(title, () => {
    it.each(list)("%s", (_, before, edit, after) => {
      expect(edit(before)).toBe(after);
    });
  });
};

cases("a key of a project", [
  [
    "is written below the others, in their column",
    '[[project]]\n  name        = "a"   # first\n  image       = "x"\n\n[host]\n',
    setProject("a", { backup: false }),
    '[[project]]\n  name        = "a"   # first\n  image       = "x"\n  backup      = false\n\n[host]\n',
  ],
  [
    "is written as tightly as the others",
    "[[project]]\nname='a'\n",
    setProject("a", { enabled: false }),
    "[[project]]\nname='a'\nenabled=false\n",
  ],
  [
    "keeps its quotes where the value fits them",
    "[[project]]\nname = 'a'\nimage = 'x' # why\ndescription = 'y'\n",
    setProject("a", { image: "z", description: "it's" }),
    "[[project]]\nname = 'a'\nimage = 'z' # why\ndescription = \"it's\"\n",
  ],
  [
    "goes with its line, and the comments around stay",
    '[[project]]\nname = "a"\n# for now\nrunning = true # demo\n# more\nimage = "x"\n',
    setProject("a", { running: undefined }),
    '[[project]]\nname = "a"\n# for now\n# more\nimage = "x"\n',
  ],
  [
    "that is a list changes in one place only",
    '[[project]]\nname = "a"\nprofiles = [\n  "default", # always\n  "b",\n  # the last\n  "c", # see\n]\n',
    setProject("a", { profiles: ["default", "x", "c"] }),
    '[[project]]\nname = "a"\nprofiles = [\n  "default", # always\n  "x",\n  # the last\n  "c", # see\n]\n',
  ],
  [
    "that is a list grows and shrinks by lines",
    '[[project]]\nname = "a"\nprofiles = [\n  "b",\n  "c" # see\n]\n',
    setProject("a", { profiles: ["c", "d"] }),
    '[[project]]\nname = "a"\nprofiles = [\n  "c", # see\n  "d"\n]\n',
  ],
  [
    "that is a text of many lines stays one",
    '[[project]]\nname = "a"\nconfig."cloud-init.user-data" = """\n#cloud-config\nx: "1"\n"""\n',
    setProject("a", { config: { "cloud-init.user-data": '#cloud-config\ny: "2"\n' } }),
    '[[project]]\nname = "a"\nconfig."cloud-init.user-data" = """\n#cloud-config\ny: \\"2\\"\n"""\n',
  ],
]);

cases("a table of a project", [
  [
    "is written behind its others",
    '[[project]]\nname = "a"\n\n[project.env]\nA = "1"\n# that is all of a\n\n[[project]]\nname = "b"\n',
    setProject("a", { config: { "limits.cpu": "2" } }),
    '[[project]]\nname = "a"\n\n[project.env]\nA = "1"\n# that is all of a\n\n[project.config]\n"limits.cpu" = "2"\n\n[[project]]\nname = "b"\n',
  ],
  [
    "that is spelled with dots stays so",
    '[[project]]\nname = "a"\nenv.A = "1" # one\nconfig.limits.cpu = "1"\ndevice.x.type = "gpu"\n',
    setProject("a", {
      env: { A: "1", B: "2" },
      config: { "limits.cpu": "2", "limits.memory": "1GiB", "limits.cpu.allowance": "50%" },
      device: { x: { type: "gpu" }, y: { type: "nic", "ipv4.address": "10.0.0.1" } },
    }),
    '[[project]]\nname = "a"\nenv.A = "1" # one\nenv.B = "2"\nconfig.limits.cpu = "2"\nconfig.limits.memory = "1GiB"\nconfig."limits.cpu.allowance" = "50%"\ndevice.x.type = "gpu"\ndevice.y.type = "nic"\ndevice.y."ipv4.address" = "10.0.0.1"\n',
  ],
  [
    "that is written in braces stays so",
    '[[project]]\nname = "a"\nenv = { A = "1" }\nmount = [{ source = "/a", path = "/a" }]\n',
    setProject("a", {
      env: { A: "2", "B-2": "3" },
      mount: [
        { source: "/a", path: "/b" },
        { source: "/c", path: "/c", readonly: true },
      ],
    }),
    '[[project]]\nname = "a"\nenv = { A = "2", B-2 = "3" }\nmount = [{ source = "/a", path = "/b" }, { source = "/c", path = "/c", readonly = true }]\n',
  ],
  [
    "that loses its last key goes, unless there is a comment",
    '[[project]]\nname = "a"\n\n[project.env]\nA = "1"\n\n# kept\n[project.config]\n"limits.cpu" = "2"\n',
    setProject("a", { env: undefined, config: {} }),
    '[[project]]\nname = "a"\n',
  ],
  [
    "of mounts loses the one in the middle",
    '[[project]]\nname = "a"\n\n# one\n[[project.mount]]\nsource = "/1"\npath = "/1"\n# two\n[[project.mount]]\nsource = "/2"\npath = "/2"\n\n# three\n[[project.mount]]\nsource = "/3"\npath = "/3"\n',
    setProject("a", {
      mount: [
        { source: "/1", path: "/1" },
        { source: "/3", path: "/3" },
      ],
    }),
    '[[project]]\nname = "a"\n\n# one\n[[project.mount]]\nsource = "/1"\npath = "/1"\n\n# three\n[[project.mount]]\nsource = "/3"\npath = "/3"\n',
  ],
]);

cases("a project", [
  [
    "comes behind the last one, wherever that is",
    '[[project]]\nname = "a"\n\n[defaults]\nprofiles = []\n\n[project.env]\nA = "1"\n\n[host]\n',
    addProject({ name: "b" }),
    '[[project]]\nname = "a"\n\n[defaults]\nprofiles = []\n\n[project.env]\nA = "1"\n\n[[project]]\nname = "b"\n\n[host]\n',
  ],
  [
    "comes into the list, where that is written as one",
    'project = [\n  { name = "a" }, # one\n]\n',
    addProject({ name: "b", env: { A: "1" } }),
    'project = [\n  { name = "a" }, # one\n  { name = "b", env = { A = "1" } },\n]\n',
  ],
  [
    "has its parts in a fixed form",
    "",
    addProject({
      name: "b",
      created: new Date("2026-04-28T15:00:00Z"),
      profiles: ["default"],
      hermes: { enabled: true },
      env: { A: 'say "hi"\n' },
      device: { "gpu.0": { type: "gpu", pci: "0" } },
      mount: [{ source: "/a", path: "/b" }],
    }),
    '[[project]]\nname = "b"\ncreated = 2026-04-28T15:00:00Z\nprofiles = ["default"]\nhermes = { enabled = true }\n\n[project.env]\nA = "say \\"hi\\"\\n"\n\n[project.device."gpu.0"]\ntype = "gpu"\npci = "0"\n\n[[project.mount]]\nsource = "/a"\npath = "/b"\n',
  ],
  [
    "goes with its comments, and leaves those of others",
    '# My registry\n\n# a is first\n[[project]]\nname = "a"\n# image = "x"\n\n# b\n# is second\n[[project]]\nname = "b"\n[project.env]\nA = "1"\n# c = 1\n# c is third\n[[project]]\nname = "c"\n',
    removeProject("b"),
    '# My registry\n\n# a is first\n[[project]]\nname = "a"\n# image = "x"\n# c is third\n[[project]]\nname = "c"\n',
  ],
  [
    "that is the first leaves what the file begins with",
    '#:schema x\n# Mine.\n[[project]]\nname = "a"\n\n[[project]]\nname = "b"\n',
    removeProject("a"),
    '#:schema x\n# Mine.\n\n[[project]]\nname = "b"\n',
  ],
  [
    "that is renamed keeps its repository, and has its name back without a trace",
    '[[project]]\nname = "a" # x\nimage = "y"\n',
    (text) => {
      const renamed = renameProject("a", "b")(text);
      expect(renamed).toBe(
        '[[project]]\nname = "b" # x\nrepo = "a" # from its former name\nimage = "y"\n',
      );
      return renameProject("b", "a")(renamed);
    },
    '[[project]]\nname = "a" # x\nimage = "y"\n',
  ],
]);

cases("a table of the registry", [
  [
    "comes to its place",
    '# mine\n[defaults]\nprofiles = []\n[[project]]\nname = "a"\n',
    (text) => setTable("repoman", { schema: 3 })(setTable("host", { lan_ip: "10.0.0.1" })(text)),
    '# mine\n\n[repoman]\nschema = 3\n\n[host]\nlan_ip = "10.0.0.1"\n[defaults]\nprofiles = []\n[[project]]\nname = "a"\n',
  ],
  [
    "comes in front of its own tables",
    "[defaults.llm]\nenabled = true\n",
    setTable("defaults", { profiles: ["default"] }),
    '[defaults]\nprofiles = ["default"]\n\n[defaults.llm]\nenabled = true\n',
  ],
  [
    "keeps its line ends and what a text begins with",
    '\ufeff[host]\r\nlan_ip = ""\r\n',
    setTable("host", { lan_ip: "10.0.0.1" }),
    '\ufeff[host]\r\nlan_ip = "10.0.0.1"\r\n',
  ],
]);

describe("an edit is refused", () => {
  const TWO = '[[project]]\nname = "alpha"\n\n[[project]]\nname = "beta"\n';
  it.each([
    ["of a project that is not there", removeProject("alhpa"), 2, 'Did you mean "alpha"?'],
    ["that sets a project that is not there", setProject("x", {}), 2, 'no project "x"'],
    ["that adds a name twice", addProject({ name: "Beta" }), 4, 'a project "beta" already'],
    ["that renames to a name that is taken", renameProject("alpha", "beta"), 4, "already"],
    ["that has half a character", setProject("beta", { description: "\ud83d" }), 2, "half a char"],
  ] as [string, Edit, number, string][])("%s", (_, edit, exitCode, message) => {
    expect(() => edit(TWO)).toThrow(
      expect.objectContaining({ exitCode, message: expect.stringContaining(message) }),
    );
  });

  it("where two projects have the name", () => {
    const text = '[[project]]\nname = "a"\n[[project]]\nname = "a"\n';
    expect(() => removeProject("a")(text)).toThrow("two projects");
  });

  it("where what is there is no list of projects", () => {
    const text = '[project]\nname = "a"\n';
    expect(() => addProject({ name: "b" })(text)).toThrow("two brackets");
  });

  it("where the text is no TOML", () => {
    expect(() => removeProject("a")("[[project]\n")).toThrow("not TOML at line 1");
  });
});

import { and, at, examples, GOOD } from "./rig.ts";

examples("things in each other's way", [
  [
    "a device named as the repository's",
    at("device.«repo.type = 'none'"),
    /repository needs/,
    /name/,
  ],
  [
    "a device at the repository's place that brings something else",
    at("device.work = { type = 'disk', source = '/srv', path = «'/repos/alpha' }"),
    /is where the repository is/,
    /path of its own/,
  ],
  [
    "a device named as a port's",
    at("ports = ['80']\ndevice.«port-80.type = 'none'"),
    /name that port 80\/tcp needs/,
    /another name/,
  ],
  [
    "a mount on the repository",
    at('mount = [{ source = "/a", path = «"/repos/alpha" }]'),
    /is where the repository is/,
    /path of its own/,
  ],
  [
    "a mount inside the repository",
    at('mount = [{ source = "/a", path = «"/repos/alpha/node_modules" }]'),
    /is inside the repository, at "\/repos\/alpha"/,
    /path of its own/,
  ],
  [
    "a mount that hides the repository",
    at('mount = [{ source = "/a", path = «"/repos/" }]'),
    /hides the repository beneath it/,
    /path of its own/,
  ],
  [
    "a mount inside a mount",
    at('mount = [{ source = "/a", path = "/a" }, { source = "/b", path = «"/a/b/../c" }]'),
    /the mount "\/a\/c" is inside the mount "\/a"$/,
    /path of its own/,
  ],
  [
    "a disk device inside a mount",
    at(
      'mount = [{ source = "/a", path = "/a" }]\ndevice.x = { type = "disk", source = "/b", path = «"/a/b/" }',
    ),
    /the device "x" is inside the mount "\/a"/,
    /path of its own/,
  ],
  ["a mount on the root", at('mount = [{ source = "/a", path = «"/" }]'), /own root/, /below it/],
  ["a mount in /proc", at('mount = [{ source = "/a", path = «"/proc/1" }]'), /\/proc/, /another/],
  ["a repository at /dev", at('path = «"/dev"'), /hide the container's \/dev/, /another/],
  ["a relative mount", at('mount = [{ source = «"a", path = "/a" }]'), /not an absolute/, /begin/],
  [
    "a path that Incus cannot mount",
    at(`path = «"/${"a-".repeat(120)}"`),
    /too long for Incus/,
    /shorter/,
  ],
  [
    "two projects of one name",
    `${GOOD}\n[[project]]\nname = «"alpha"\nrepo = "b"\n`,
    /another project of this name/,
    /another name/,
  ],
  [
    "two names that differ in case",
    `${GOOD}\n[[project]]\nname = «"Alpha"\nrepo = "b"\n`,
    /"alpha".* ignore case/,
    /another name/,
  ],
  [
    "two projects with one repository",
    and('repo = «"/repos/x/../alpha/"'),
    /repository of project "alpha" too/,
    /remove one/,
  ],
  ["a repository inside another", and('repo = «"alpha/lib"'), /is inside that of/, /beside/],
  [
    "a repository that holds another",
    `${GOOD}repo = "a/b"\n\n[[project]]\nname = "beta"\nrepo = «"a"\n`,
    /holds that of project "alpha"/,
    /beside/,
  ],
  [
    "backups inside a repository",
    GOOD.replace('"/backup"', '«"/repos/alpha/backup"'),
    /inside the repository of project "alpha"/,
    /another disk/,
  ],
  [
    "backups on the repositories",
    GOOD.replace('"/backup"', '«"/repos/"'),
    /is repos_root itself/,
    /another disk/,
  ],
  [
    "a backup that would hold repositories",
    `[defaults]\nrepos_root = "/srv/code"\nbackup_root = "/srv"\n
[[project]]\nname = "alpha"\n
[[project]]\nname = "beta"\nrepo = «"code"\n`,
    /its backup "\/srv\/code" would hold the repository "\/srv\/code\/alpha"/,
    /below/,
  ],
  [
    "a port of another project",
    and('ports = [«"3000"]').replace('alpha"\n', "alpha\"\nports = ['3000']\n"),
    /taken by project "alpha"/,
    /first/,
  ],
  [
    "a port of another project's on all addresses",
    and('ports = [«"0.0.0.0:3000:1"]').replace('alpha"\n', 'alpha"\nports = ["3000"]\n'),
    /taken by project "alpha"/,
    /first/,
  ],
  [
    "a port of another project's device",
    and(
      'device.web = { type = "proxy", listen = «"tcp:127.0.0.1:2999-3001", connect = "x" }',
    ).replace('alpha"\n', 'alpha"\nports = ["3000"]\n'),
    /port 2999-3001\/tcp of the host is taken/,
    /first/,
  ],
]);

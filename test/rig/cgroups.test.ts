import { describe, expect, test } from "vitest";
import { hierarchies } from "./cgroups.js";

const mountinfo = (...mounts: [root: string, point: string, type: string, options: string][]) =>
  [["/", "/", "ext4", "rw"], ...mounts]
    .map(
      ([root, point, type, options], index) =>
        `${30 + index} 1 0:${index} ${root} ${point} rw,relatime shared:9 - ${type} ${type} ${options}`,
    )
    .join("\n");
const find = (mounts: Parameters<typeof mountinfo>, membership: string) =>
  hierarchies("repoman-test.x", { mountinfo: mountinfo(...mounts), membership });

describe("the cgroups of a run", () => {
  test("are below the process's own under version 1", () => {
    const found = find(
      [
        ["/", "/sys/fs/cgroup", "tmpfs", "rw"],
        ["/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"],
        ["/", "/sys/fs/cgroup/systemd", "cgroup", "rw,xattr,name=systemd"],
      ],
      "2:cpu,cpuacct:/jobs/one\n1:name=systemd:/\n",
    );
    expect(found).toEqual([
      {
        mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
        type: "cgroup",
        options: "cpu,cpuacct",
        own: "/sys/fs/cgroup/cpu,cpuacct/jobs/one/repoman-test.x",
      },
      {
        mountPoint: "/sys/fs/cgroup/systemd",
        type: "cgroup",
        options: "none,name=systemd",
        own: "/sys/fs/cgroup/systemd/repoman-test.x",
      },
    ]);
  });

  test("are at the top under version 2, where controllers can be handed on", () => {
    const found = find(
      [["/", "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate"]],
      "0::/user.slice/user-1000.slice/session-1.scope\n",
    );
    expect(found).toEqual([
      {
        mountPoint: "/sys/fs/cgroup",
        type: "cgroup2",
        options: "",
        own: "/sys/fs/cgroup/repoman-test.x",
      },
    ]);
  });

  test("take a container's view of version 1 for what it is", () => {
    const [found] = find(
      [["/docker/abc", "/sys/fs/cgroup/pids", "cgroup", "rw,pids"]],
      "8:pids:/docker/abc/job\n",
    );
    expect(found?.own).toBe("/sys/fs/cgroup/pids/job/repoman-test.x");
  });

  test("leave out hierarchies that lie hidden below another mount", () => {
    const found = find(
      [
        ["/", "/sys/fs/cgroup/pids", "cgroup", "rw,pids"],
        ["/", "/sys", "sysfs", "rw"],
        ["/", "/sys/fs/cgroup", "cgroup2", "rw"],
      ],
      "8:pids:/\n0::/\n",
    );
    expect(found.map(({ mountPoint }) => mountPoint)).toEqual(["/sys/fs/cgroup"]);
  });
});

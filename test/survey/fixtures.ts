import type { Instance } from "../../incus/types.ts";
import { declaredContainer } from "../../providers/container/declared.ts";
import { readyMark } from "../../providers/container/user.ts";
import { MARK, marks } from "../../providers/ownership.ts";
import type { Project } from "../../registry/types.ts";
import { DEV } from "../components/fixtures.ts";

export const OWNER = { id: "0123456789abcdef", stack: "host" };
export const WIDE = { remote: "", owner: OWNER, incusProject: "repoman", restart: false };

/** The instance of a project, just as `up` leaves it. */
export function made(project: Project, more: Partial<Instance> = {}): Instance {
  const wanted = declaredContainer(WIDE, project, DEV);
  return {
    name: wanted.name,
    project: wanted.project,
    description: wanted.description,
    profiles: wanted.profiles,
    devices: wanted.devices,
    config: {
      ...wanted.config,
      ...marks(OWNER, project.name),
      [MARK.image]: project.image,
      [MARK.ready]: readyMark({ user: DEV }),
      "volatile.uuid": `uuid-${project.name}`,
      "image.os": "Debian",
    },
    architecture: "x86_64",
    ephemeral: false,
    stateful: false,
    status: "Running",
    status_code: 103,
    type: "container",
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: "2026-01-01T00:00:00Z",
    location: "none",
    ...more,
  };
}

import { copies, disk } from "./backups.ts";
import type { Check } from "./check.ts";
import { containers } from "./containers.ts";
import { lan, registryFiles } from "./host.ts";
import { mounts } from "./mounts.ts";
import { profiles } from "./profiles.ts";
import { repositories } from "./repositories.ts";
import { project, server } from "./server.ts";

export { type Check, examine, type Finding, GROUPS, type Group, type Patient } from "./check.ts";

/** Everything that `repoman status` looks at. */
export const CHECKS: readonly Check[] = [
  server,
  project,
  profiles,
  containers,
  mounts,
  disk,
  copies,
  repositories,
  lan,
  registryFiles,
];

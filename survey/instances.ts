// Which instances are a stack's own, for what works on one project by its name.

import type { Instance } from "../incus/types.ts";
import { isOwn, MARK } from "../providers/ownership.ts";

export interface Named {
  /** This stack's container of the project, whatever it is called at the moment. */
  own?: Instance;
  /** What stands in the way under that name, and is not this stack's. */
  other?: Instance;
}

/** @param stackId undefined for a stack that was never made, which owns nothing */
export function lookUp(
  instances: readonly Instance[],
  name: string,
  stackId: string | undefined,
): Named {
  const mine = ({ config }: Instance) => stackId !== undefined && isOwn(config, { id: stackId });
  const there = instances.find((instance) => instance.name === name);
  const marked = instances.find(
    (instance) => mine(instance) && instance.config[MARK.name] === name && !isAside(instance),
  );
  const own = there && mine(there) ? there : marked;
  return {
    ...(own ? { own } : {}),
    ...(there && !mine(there) ? { other: there } : {}),
  };
}

/** Whether it stands aside while another is made in its place. */
export function isAside({ config }: Instance): boolean {
  return config[MARK.aside] !== undefined;
}

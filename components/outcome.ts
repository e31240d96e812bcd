// What is told of resources that failed. The engine goes on after one that failed
// (PULUMI_CONTINUE_ON_ERROR), but in the program every output of it rejects; left alone, that ends
// the program, and with it everything that was still to be declared, deleted or exported.

import { all, type Output, recover } from "@pulumi/pulumi/output.js";
import type { Resource } from "@pulumi/pulumi/resource.js";

/** Something that must be there first, and how a message calls it. */
export interface Need {
  what: string;
  resource: Resource;
}

/** Waits for all of them. The engine refuses what depends on a resource that failed. */
export function present(needs: readonly Need[]): Output<Resource[]> {
  return outcomes(needs).apply((made) => needs.filter((_, i) => made[i]).map((n) => n.resource));
}

/** Waits for all of them; why one cannot go on, where some failed. */
export function missing(name: string, needs: readonly Need[]): Output<string | undefined> {
  return outcomes(needs).apply((made) => {
    const failed = needs.filter((_, i) => !made[i]).map(({ what }) => what);
    if (failed.length === 0) return undefined;
    return `project "${name}": it needs ${failed.join(" and ")}, which failed\n  Mend that, and run again.`;
  });
}

function outcomes(needs: readonly Need[]): Output<boolean[]> {
  return all(
    needs.map(({ resource }) =>
      recover(
        resource.urn.apply(() => true),
        () => false,
      ),
    ),
  );
}

import type { Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { Forbidden, Unreachable } from "../../incus/errors.ts";
import { CHECKS, examine, type Finding } from "../../survey/health/index.ts";
import { type Context, connectTo } from "../context.ts";
import { requireNames } from "../preflight.ts";
import { type Live, lookAtEstate } from "./live.ts";

/**
 * Looks at everything that has to do with the estate, or with some projects of it.
 *
 * @param names all where there are none
 *
 * @throws Fault (usage) for an unknown name
 */
export async function lookAfter(context: Context, names: readonly string[]): Promise<Finding[]> {
  const { registry, library, problems, file, config, setting } = context;
  const known = registry.projects.map((project) => project.name);
  requireNames(names, known, file);
  const { client, unreachable } = await reach(context);
  try {
    const live: Live = client
      ? await lookAtEstate(context, { client })
      : await lookAtEstate(context);
    const { instances, host, owner } = live;
    return await examine(
      {
        registry,
        library,
        problems,
        file,
        env: setting.env,
        owner,
        client,
        unreachable,
        local: config.remote === undefined || config.remote === "local",
        instances,
        reconciled: live,
        host,
        projects: registry.projects.filter(
          (each) => names.length === 0 || names.includes(each.name),
        ),
        whole: names.length === 0,
      },
      CHECKS,
    );
  } finally {
    client?.close();
  }
}

async function reach(context: Context): Promise<{ client?: IncusClient; unreachable?: Fault }> {
  try {
    return { client: await connectTo(context) };
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Forbidden)) throw error;
    return { unreachable: error };
  }
}

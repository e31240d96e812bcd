import { type CallOptions, changeInstance, whenFree } from "./busy.ts";
import { type ExecOptions, exec } from "./exec.ts";
import { explainSource, resolveSource } from "./images.ts";
import { creating } from "./mapping.ts";
import { run } from "./operations.ts";
import { aboutInstance, stateCalls } from "./states.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { ExecResult, Instance, InstancePut, InstancesPost, Versioned } from "./types.ts";
import { readModifyWrite } from "./update.ts";

export type InstanceCalls = ReturnType<typeof instanceCalls>;

/** Stands for every project in `getInstances`; no project can have this name. */
export const ALL_PROJECTS = "*";

const CREATE_TIMEOUT = 30 * 60_000;
const MOVE_TIMEOUT = 30 * 60_000;
export interface CreateOptions extends CallOptions {
  /** What the server says of an image's download and unpacking; from the second second on */
  onProgress?: (text: string) => void;
  /** A cluster member, or `@group` */
  target?: string;
}

export function instanceCalls(transport: Transport) {
  const about = aboutInstance;
  const states = stateCalls(transport);

  /** @throws NotFound; MemberDown */
  async function getInstance(project: string, name: string): Promise<Versioned<Instance>> {
    const reply = await transport.request({
      method: "GET",
      path: apiPath(["instances", name], { project }),
      about: about("read", project, name),
    });
    return { value: reply.metadata as Instance, etag: reply.etag };
  }

  /** To another name or project: for the server that is one call. */
  async function relocate(
    project: string,
    name: string,
    verb: string,
    body: object,
    options: CallOptions,
  ): Promise<void> {
    await changeInstance(
      transport,
      project,
      name,
      {
        method: "POST",
        path: apiPath(["instances", name], { project }),
        body,
        about: about(verb, project, name),
      },
      options,
    );
  }

  return {
    getInstance,
    ...states,

    /**
     * All instances of a project, or of `ALL_PROJECTS`, in one request. The server gives none, and no
     * error, for a project that is not there.
     * @param recursion 2 adds each one's `state` (addresses, usage), which takes ten times as long
     */
    async getInstances(project: string, recursion: 1 | 2 = 1): Promise<Instance[]> {
      const all = project === ALL_PROJECTS;
      const reply = await transport.request({
        method: "GET",
        path: apiPath(
          ["instances"],
          all ? { recursion, "all-projects": "true" } : { recursion, project },
        ),
        about: {
          verb: "list",
          subject: all ? "the instances" : `the instances in project ${JSON.stringify(project)}`,
        },
      });
      return reply.metadata as Instance[];
    },

    /**
     * Makes an instance, with the download of its image when need be; thirty minutes unless said.
     * @throws AlreadyExists; BadRequest when its image, project or a profile is not there;
     *   OperationFailed; TimedOut
     */
    async createInstance(
      project: string,
      instance: InstancesPost,
      { target, ...options }: CreateOptions = {},
    ): Promise<void> {
      const what = about("create", project, instance.name);
      const source = await resolveSource(transport, project, instance.source);
      const request = run(
        transport,
        {
          method: "POST",
          path: apiPath(["instances"], { project, target }),
          body: { ...instance, source },
          about: what,
        },
        { timeoutMs: CREATE_TIMEOUT, ...options },
      );
      try {
        await creating(what, request);
      } catch (error) {
        throw explainSource(what, source, error);
      }
    },

    /**
     * @param mutate from what is there to what is wanted, `volatile.*` keys kept; called again when
     *   somebody else was quicker
     * @returns whether anything was written
     * @throws NotFound, PreconditionFailed, Busy, OperationFailed
     */
    updateInstance(
      project: string,
      name: string,
      mutate: (current: InstancePut) => InstancePut,
      options: CallOptions = {},
    ): Promise<boolean> {
      const what = about("update", project, name);
      // Read anew after a wait: what held the instance has changed it.
      return whenFree(
        transport,
        project,
        name,
        () =>
          readModifyWrite(
            what,
            async () => {
              const { value, etag } = await getInstance(project, name);
              return { value: writable(value), etag };
            },
            mutate,
            async (body, etag) => {
              await run(
                transport,
                {
                  method: "PUT",
                  path: apiPath(["instances", name], { project }),
                  body,
                  etag,
                  about: what,
                },
                options,
              );
            },
          ),
        options.signal,
      );
    },

    /** It must be stopped. */
    async renameInstance(
      project: string,
      name: string,
      to: string,
      options: CallOptions = {},
    ): Promise<void> {
      const verb = `rename (to ${JSON.stringify(to)})`;
      await relocate(project, name, verb, { name: to }, options);
    },

    /**
     * Moves it to another project of the same server, with its snapshots. It must be stopped.
     * @throws NotFound; AlreadyExists where the other project has one of that name; OperationFailed
     */
    async moveInstance(
      project: string,
      name: string,
      to: string,
      options: CallOptions = {},
    ): Promise<void> {
      const verb = `move (to project ${JSON.stringify(to)})`;
      await relocate(
        project,
        name,
        verb,
        { name, migration: true, project: to },
        // A pool may have to copy it.
        { timeoutMs: MOVE_TIMEOUT, ...options },
      );
    },

    /** @param options.force kills it first if it runs; otherwise it must be stopped */
    async deleteInstance(
      project: string,
      name: string,
      { force = false, ...options }: CallOptions & { force?: boolean } = {},
    ): Promise<void> {
      if (force)
        await states.setInstanceState(project, name, { action: "stop", force: true }, options);
      await changeInstance(
        transport,
        project,
        name,
        {
          method: "DELETE",
          path: apiPath(["instances", name], { project }),
          about: about("delete", project, name),
        },
        options,
      );
    },

    /** Runs a command in it; see `exec.ts`. */
    exec(project: string, name: string, options: ExecOptions): Promise<ExecResult> {
      return exec(transport, project, name, options);
    },
  };
}

function writable(instance: Instance): InstancePut {
  const { architecture, config, devices, ephemeral, profiles, stateful, description } = instance;
  return { architecture, config, devices, ephemeral, profiles, stateful, description };
}

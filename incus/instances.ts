import { whenFree } from "./busy.ts";
import { type About, IncusError, named } from "./errors.ts";
import { type ExecOptions, exec } from "./exec.ts";
import { resolveSource } from "./images.ts";
import { OPERATION_TIMEOUT, run } from "./operations.ts";
import { apiPath, type Request, type Transport } from "./transport.ts";
import type {
  ExecResult,
  Instance,
  InstancePut,
  InstanceState,
  InstanceStatePut,
  InstancesPost,
  Versioned,
} from "./types.ts";
import { readModifyWrite } from "./update.ts";

export type InstanceCalls = ReturnType<typeof instanceCalls>;

/** Stands for every project in `getInstances`; no project can have this name. */
export const ALL_PROJECTS = "*";

const CREATE_TIMEOUT = 30 * 60_000;
/** Seconds that a clean stop may take; the server's own default is ten minutes. */
const STOP_SECONDS = 30;

export interface CallOptions {
  /** Milliseconds for the operation; two minutes unless said */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface CreateOptions extends CallOptions {
  /** What the server says of an image's download and unpacking; from the second second on */
  onProgress?: (text: string) => void;
  /** A cluster member, or `@group` */
  target?: string;
}

export function instanceCalls(transport: Transport) {
  const about = (verb: string, project: string, name: string): About => ({
    verb,
    subject: named("instance", name, project),
  });

  /** Changes one instance: waits out whatever else is done to it, and for the end of its own operation. */
  function change(
    project: string,
    name: string,
    request: Request,
    options: CallOptions,
  ): Promise<unknown> {
    return whenFree(
      transport,
      project,
      name,
      () => run(transport, request, options),
      options.signal,
    );
  }

  /** @throws NotFound; MemberDown */
  async function getInstance(project: string, name: string): Promise<Versioned<Instance>> {
    const reply = await transport.request({
      method: "GET",
      path: apiPath(["instances", name], { project }),
      about: about("read", project, name),
    });
    return { value: reply.metadata as Instance, etag: reply.etag };
  }

  /** Starts, stops or restarts it; one that is in that state already is left alone. */
  async function setInstanceState(
    project: string,
    name: string,
    { action, force = false, timeout = STOP_SECONDS }: InstanceStatePut,
    options: CallOptions = {},
  ): Promise<void> {
    try {
      await change(
        project,
        name,
        {
          method: "PUT",
          path: apiPath(["instances", name, "state"], { project }),
          body: { action, force, timeout },
          about: about(action, project, name),
        },
        { timeoutMs: OPERATION_TIMEOUT + (force ? 0 : timeout * 1000), ...options },
      );
    } catch (error) {
      if (!(error instanceof IncusError && alreadySo(action, error.detail))) throw error;
    }
  }

  return {
    getInstance,
    setInstanceState,

    /**
     * All instances of a project, or of `ALL_PROJECTS`, in one request.
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

    /** Run state, addresses and usage. */
    async getInstanceState(project: string, name: string): Promise<InstanceState> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["instances", name, "state"], { project }),
        about: about("read the state of", project, name),
      });
      return reply.metadata as InstanceState;
    },

    /**
     * Makes an instance, with the download of its image when need be; thirty minutes unless said.
     * @throws AlreadyExists; NotFound for its image, project or a profile; OperationFailed; TimedOut
     */
    async createInstance(
      project: string,
      instance: InstancesPost,
      { target, ...options }: CreateOptions = {},
    ): Promise<void> {
      const source = await resolveSource(transport, project, instance.source);
      await run(
        transport,
        {
          method: "POST",
          path: apiPath(["instances"], { project, target }),
          body: { ...instance, source },
          about: about("create", project, instance.name),
        },
        { timeoutMs: CREATE_TIMEOUT, ...options },
      );
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
      await change(
        project,
        name,
        {
          method: "POST",
          path: apiPath(["instances", name], { project }),
          body: { name: to },
          about: about(`rename (to ${JSON.stringify(to)})`, project, name),
        },
        options,
      );
    },

    /** @param options.force kills it first if it runs; otherwise it must be stopped */
    async deleteInstance(
      project: string,
      name: string,
      { force = false, ...options }: CallOptions & { force?: boolean } = {},
    ): Promise<void> {
      if (force) await setInstanceState(project, name, { action: "stop", force: true }, options);
      await change(
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

function alreadySo(action: string, detail: string): boolean {
  return (
    (action === "stop" && /instance is already stopped/i.test(detail)) ||
    (action === "start" && /(instance|container) is already running/i.test(detail))
  );
}

function writable(instance: Instance): InstancePut {
  const { architecture, config, devices, ephemeral, profiles, stateful, description } = instance;
  return { architecture, config, devices, ephemeral, profiles, stateful, description };
}

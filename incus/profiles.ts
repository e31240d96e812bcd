import { isDeepStrictEqual } from "node:util";
import { type About, named, SavedWithFailures, Unreachable } from "./errors.ts";
import { creating } from "./mapping.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Profile, ProfilePut, Versioned } from "./types.ts";
import { readModifyWrite } from "./update.ts";

export type ProfileCalls = ReturnType<typeof profileCalls>;

/** Profiles are the project `default`'s unless another is named. */
export function profileCalls(transport: Transport) {
  const about = (verb: string, name: string, project: string): About => ({
    verb,
    subject: named("profile", name, project === "default" ? undefined : project),
  });

  /** @throws NotFound */
  async function getProfile(name: string, project = "default"): Promise<Versioned<Profile>> {
    const reply = await transport.request({
      method: "GET",
      path: apiPath(["profiles", name], { project }),
      about: about("read", name, project),
    });
    return { value: reply.metadata as Profile, etag: reply.etag };
  }

  async function put(name: string, project: string, body: ProfilePut, etag: string): Promise<void> {
    try {
      await transport.request({
        method: "PUT",
        path: apiPath(["profiles", name], { project }),
        body,
        etag,
        about: about("update", name, project),
      });
    } catch (error) {
      // The profile is written before it is applied to the instances that use it, and a failure of
      // the second is reported under various texts: only the profile itself tells what holds.
      if (error instanceof SavedWithFailures || error instanceof Unreachable) throw error;
      const now = await getProfile(name, project).catch(() => undefined);
      if (now && now.etag !== etag && isDeepStrictEqual(writable(now.value), body)) {
        throw new SavedWithFailures(
          about("apply", name, project),
          `it was saved, but not every instance that uses it could take it: ${(error as { detail?: string }).detail ?? (error as Error).message}`,
          {
            remedy:
              "mend what the message names; the instances take the profile at their next start",
            cause: error,
          },
        );
      }
      throw error;
    }
  }

  return {
    getProfile,

    async getProfiles(project = "default"): Promise<Profile[]> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["profiles"], { recursion: 1, project }),
        about: { verb: "list", subject: `the profiles in project ${JSON.stringify(project)}` },
      });
      return reply.metadata as Profile[];
    },

    /** @throws AlreadyExists, BadRequest */
    async createProfile(
      profile: { name: string } & Partial<ProfilePut>,
      project = "default",
    ): Promise<void> {
      const what = about("create", profile.name, project);
      await creating(
        what,
        transport.request({
          method: "POST",
          path: apiPath(["profiles"], { project }),
          body: profile,
          about: what,
        }),
      );
    },

    /**
     * @param mutate from what is there to what is wanted; called again when somebody else was quicker
     * @returns whether anything was written
     * @throws NotFound, PreconditionFailed; SavedWithFailures when the profile is as wanted but an
     *   instance that uses it could not take it
     */
    updateProfile(
      name: string,
      mutate: (current: ProfilePut) => ProfilePut,
      project = "default",
    ): Promise<boolean> {
      return readModifyWrite(
        about("update", name, project),
        async () => {
          const { value, etag } = await getProfile(name, project);
          return { value: writable(value), etag };
        },
        mutate,
        (wanted, etag) => put(name, project, wanted, etag),
      );
    },

    /** @throws NotFound; InUse while an instance uses it */
    async deleteProfile(name: string, project = "default"): Promise<void> {
      await transport.request({
        method: "DELETE",
        path: apiPath(["profiles", name], { project }),
        about: about("delete", name, project),
      });
    },
  };
}

function writable({ description, config, devices }: Profile): ProfilePut {
  return { description, config, devices };
}

import { type About, named } from "./errors.ts";
import { creating } from "./mapping.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Project, ProjectPut, Versioned } from "./types.ts";
import { readModifyWrite } from "./update.ts";

export type ProjectCalls = ReturnType<typeof projectCalls>;

export function projectCalls(transport: Transport) {
  const about = (verb: string, name: string): About => ({ verb, subject: named("project", name) });

  /** @throws NotFound */
  async function getProject(name: string): Promise<Versioned<Project>> {
    const reply = await transport.request({
      method: "GET",
      path: apiPath(["projects", name]),
      about: about("read", name),
    });
    return { value: reply.metadata as Project, etag: reply.etag };
  }

  return {
    getProject,

    async getProjects(): Promise<Project[]> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["projects"], { recursion: 1 }),
        about: { verb: "list", subject: "the projects" },
      });
      return reply.metadata as Project[];
    },

    /** @throws AlreadyExists */
    async createProject(project: { name: string } & Partial<ProjectPut>): Promise<void> {
      const what = about("create", project.name);
      await creating(
        what,
        transport.request({
          method: "POST",
          path: apiPath(["projects"]),
          body: project,
          about: what,
        }),
      );
    },

    /**
     * @param mutate from what is there to what is wanted; called again when somebody else was quicker
     * @returns whether anything was written
     * @throws NotFound, PreconditionFailed
     */
    updateProject(name: string, mutate: (current: ProjectPut) => ProjectPut): Promise<boolean> {
      return readModifyWrite(
        about("update", name),
        async () => {
          const { value, etag } = await getProject(name);
          return { value: { description: value.description, config: value.config }, etag };
        },
        mutate,
        async (body, etag) => {
          await transport.request({
            method: "PUT",
            path: apiPath(["projects", name]),
            body,
            etag,
            about: about("update", name),
          });
        },
      );
    },

    /** @throws NotFound; InUse while something is inside */
    async deleteProject(name: string): Promise<void> {
      await transport.request({
        method: "DELETE",
        path: apiPath(["projects", name]),
        about: about("delete", name),
      });
    },
  };
}

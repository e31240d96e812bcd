// The guided form of `new`: it fills in what the flags would say, and nothing else.

import { instanceName } from "../../registry/rules.ts";
import { printable } from "../../registry/text.ts";
import { type Context, connectTo } from "../context.ts";
import { ask } from "../output/ask.ts";
import { mountOf, placeOf, type Wish } from "./entry.ts";
import type { Origin } from "./repository.ts";
import { type Candidate, nameFor, scan } from "./scan.ts";

/** Chosen instead of a directory. */
const OTHER = "\0other";

/** @throws Cancelled */
export async function newForm(context: Context): Promise<Wish & Origin> {
  const { registry } = context;
  const { reposRoot, backupRoot, defaultImage } = registry.defaults;
  const candidates = await scan(reposRoot, registry.projects);
  const { repo, origin } = await askRepository(context, candidates);
  const taken = new Set(registry.projects.map(({ name }) => name.toLowerCase()));
  const name = await askText("Name of the container?", nameFor(repo, taken) ?? "", (text) => {
    const wrong = instanceName(text);
    if (wrong) return `It ${wrong.what}: ${wrong.remedy}`;
    return taken.has(text.toLowerCase()) ? "There is a project of that name." : undefined;
  });
  const image = await askText("Image?", defaultImage, (text) => (text ? undefined : "Name one."));
  const profiles = await askProfiles(context);
  const mounts: string[] = [];
  for (;;) {
    const question = mounts.length === 0 ? "Mount something else of this host?" : "And another?";
    const mount = await askText(`${question} (source:path[:ro], empty for no)`, "", (text) => {
      try {
        if (text) mountOf(text);
        return undefined;
      } catch (error) {
        return (error as Error).message.split("\n", 1)[0];
      }
    });
    if (!mount) break;
    mounts.push(mount);
  }
  const backup =
    backupRoot === undefined ||
    (await ask<boolean>(({ confirm }, io) =>
      confirm({ message: `Back it up to ${printable(backupRoot)}?`, initialValue: true, ...io }),
    ));
  const exclude = backup && backupRoot !== undefined ? await leftOut(context, repo, origin) : [];
  const same = (list: readonly string[]) => list.join() === registry.defaults.profiles.join();
  return {
    name,
    repo,
    ...origin,
    ...(image === defaultImage ? {} : { image }),
    ...(same(profiles) ? {} : { profiles }),
    mounts,
    ...(backup ? {} : { backup }),
    exclude,
  };
}

async function askRepository(context: Context, candidates: readonly Candidate[]) {
  const { reposRoot } = context.registry.defaults;
  const chosen =
    candidates.length === 0
      ? OTHER
      : await ask<string>(({ select }, io) =>
          select<string>({
            message: `Which directory of ${printable(reposRoot)}?`,
            options: [
              ...candidates.map(({ repo }) => ({ value: repo, label: printable(repo) })),
              { value: OTHER, label: "a new one" },
            ],
            maxItems: 12,
            ...io,
          }),
        );
  if (chosen !== OTHER) return { repo: chosen, origin: {} };
  const places = { reposRoot, home: context.setting.env.HOME ?? "/", cwd: process.cwd() };
  const repo = await askText(`Its directory, below ${printable(reposRoot)}?`, "", (text) => {
    if (!text) return "Name one.";
    try {
      placeOf({ name: "", repo: text }, places);
      return undefined;
    } catch (error) {
      return (error as Error).message.split("\n", 1)[0];
    }
  });
  const url = await askText("Clone it from which URL? (empty for an empty repository)", "");
  return { repo, origin: url ? { clone: url } : { create: true } };
}

/** What can be made again need not be mirrored: asked where nothing is said for all projects yet. */
async function leftOut(
  { registry, setting }: Context,
  repo: string,
  origin: Origin,
): Promise<string[]> {
  const { reposRoot, exclude } = registry.defaults;
  if (exclude || origin.create || origin.clone !== undefined) return [];
  const { askExcludes, remakable } = await import("../backup/offer-excludes.ts");
  const home = setting.env.HOME ?? "/";
  const { path } = placeOf({ name: "", repo }, { reposRoot, home, cwd: process.cwd() });
  return askExcludes(await remakable([path]));
}

async function askProfiles(context: Context): Promise<string[]> {
  const { library, registry } = context;
  const client = await connectTo(context);
  const onServer = await client.getProfiles("default").finally(() => client.close());
  const names = [...new Set([...onServer.map(({ name }) => name), ...library.keys()])];
  const defaults = registry.defaults.profiles;
  const order = [...defaults.filter((each) => names.includes(each))];
  const rest = names.filter((each) => !order.includes(each)).sort();
  const chosen = await ask<string[]>(({ multiselect }, io) =>
    multiselect<string>({
      message: "Profiles? (space marks, in the order in which they apply)",
      options: [...order, ...rest].map((value) => {
        const hint = library.get(value)?.description;
        return { value, label: printable(value), ...(hint ? { hint: printable(hint) } : {}) };
      }),
      initialValues: order,
      required: false,
      maxItems: 12,
      ...io,
    }),
  );
  return chosen;
}

/** A line of text; what is offered is taken by Enter. */
function askText(
  message: string,
  offered: string,
  wrong: (text: string) => string | undefined = () => undefined,
): Promise<string> {
  const validate = (text: string | undefined) => wrong((text ?? "").trim() || offered);
  return ask<string>(async ({ text }, io) => {
    const answer = await text({
      message,
      ...(offered ? { placeholder: offered, defaultValue: offered } : {}),
      validate,
      ...io,
    });
    return typeof answer === "string" ? answer.trim() || offered : answer;
  });
}

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRegistry } from "../../registry/load.ts";
import { folder } from "./rig.ts";

test("a text is judged before it is written, with the overrides that lie beside the file", async () => {
  const { config, home } = await folder();
  await mkdir(join(config, "repos.d"), { recursive: true });
  await writeFile(join(config, "repos.d/web.toml"), 'image = "here"\n');
  const options = { file: join(config, "repoman.toml"), env: { HOME: home } };
  const good = await readRegistry({ ...options, text: '[[project]]\nname = "web"\n' });
  expect(good.problems).toEqual([]);
  expect(good.registry.projects).toMatchObject([{ name: "web", image: "here" }]);
  const bad = await readRegistry({ ...options, text: '[[project]]\nname = "web"\nimge = "x"\n' });
  expect(bad.problems).toMatchObject([{ file: options.file, line: 3 }]);
});

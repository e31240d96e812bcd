import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { discard, holdings } from "../../tools/incus/discard.js";
import { recordFile } from "../../tools/incus/endpoint.js";
import { ownFolder } from "../../tools/incus/folder.js";
import { run } from "../rig/command.ts";
import { mountsBelow } from "../rig/mounts.ts";
import { processesWith } from "../rig/processes.ts";
import { launch, person, personWithDaemon } from "./own.ts";

test("a daemon that holds something stays; an empty one goes with its bridge and pool", async () => {
  const { context, paths, socket, api, folder } = await personWithDaemon();
  await launch(socket, "one");
  await api.post("/1.0/storage-pools/default/volumes/custom", { name: "data" });
  await expect(discard(context)).rejects.toThrow(
    /still holds instance default\/one, volume default\/data/,
  );
  expect((await api.get("/1.0/instances/one")).status).toBe("Running");

  await api.put("/1.0/instances/one/state", { action: "stop", force: true });
  await api.delete("/1.0/instances/one");
  await api.delete("/1.0/storage-pools/default/volumes/custom/data");
  expect(await holdings(context)).toEqual([]);
  const bridges = (await api.list("/1.0/networks?recursion=1"))
    .filter(({ managed }: { managed: boolean }) => managed)
    .map(({ name }: { name: string }) => name);
  expect(bridges).toHaveLength(1);
  await discard(context);
  expect(existsSync(ownFolder(paths))).toBe(false);
  expect(existsSync(recordFile(paths))).toBe(false);
  expect(existsSync(`/sys/class/net/${bridges[0]}`)).toBe(false);
  expect(mountsBelow(folder)).toEqual([]);
  const daemons = processesWith(`INCUS_DIR=${folder}`).filter(({ name }) => name === "incusd");
  expect(daemons).toEqual([]);
});

test("nothing is deleted through a mount, and what was cut off is finished", async () => {
  const { context, paths, home } = person();
  const precious = join(home, "precious");
  const inside = join(ownFolder(paths), "devices/web");
  for (const folder of [precious, inside]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(precious, "file"), "mine");
  await run(["mount", "--bind", precious, inside]);
  await expect(discard(context)).rejects.toThrow(/is not safe: .*devices\/web is mounted below/);
  await run(["umount", inside]);
  await discard(context);
  expect(existsSync(ownFolder(paths))).toBe(false);
  expect(existsSync(join(precious, "file"))).toBe(true);
});

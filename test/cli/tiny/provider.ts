// The handlers of the tiny estate. A thing is a file in the folder TINY_DIR, and what is in the
// file `<name>.order` there is done to it: `hold` (until it says otherwise),
// `fail <exit code>`.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../../host/fault.js";
import { guarded, type Identified } from "../../../providers/engine.ts";

interface Inputs extends Identified {
  value: string;
}

const fileOf = (name: string) => join(process.env.TINY_DIR ?? "", name);

async function make(inputs: Inputs): Promise<{ id: string; outs: Inputs }> {
  const order = () => {
    const file = fileOf(`${inputs.name}.order`);
    return existsSync(file) ? readFileSync(file, "utf8").split(" ") : [];
  };
  const [what, number] = order();
  if (what === "fail")
    throw new Fault(`${inputs.name} is told to fail`, { exitCode: Number(number) });
  writeFileSync(fileOf(inputs.name), inputs.value);
  while (order()[0] === "hold") await sleep(50);
  return { id: inputs.name, outs: inputs };
}

export const handlers = guarded<Inputs, Inputs>("thing", {
  check: async (_, inputs) => ({ inputs }),
  diff: async (_, old, inputs) => ({ changes: old.value !== inputs.value }),
  create: make,
  async read(id, state) {
    if (!existsSync(fileOf(id))) return { id: "" };
    const inputs = { ...state, value: readFileSync(fileOf(id), "utf8") };
    return { id, props: inputs, inputs };
  },
  update: async (_, __, inputs) => ({ outs: (await make(inputs)).outs }),
  delete: async (id) => rmSync(fileOf(id), { force: true }),
});

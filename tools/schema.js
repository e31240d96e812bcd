// `npm run schema`: writes the JSON Schemas in schema/ anew from registry/schema.ts.

import { execFileSync } from "node:child_process";
import { chosenNode } from "./node.js";
import { ROOT } from "./toolchain.js";

const code = 'import("./registry/json-schema.ts").then(({ writeSchemas }) => writeSchemas())';
const node = chosenNode({ root: ROOT, env: process.env });
execFileSync(node, ["--eval", code], { cwd: ROOT, stdio: "inherit" });

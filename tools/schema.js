// `npm run schema`: writes what is made from registry/schema.ts anew, the JSON Schemas in schema/ and
// the reference in docs/registry.md.

import { execFileSync } from "node:child_process";
import { chosenNode } from "./node.js";
import { ROOT } from "./toolchain.js";

const code = `
  const { writeSchemas } = await import("./registry/json-schema.ts");
  const { writeReference } = await import("./registry/reference.ts");
  writeSchemas();
  writeReference();
`;
const node = chosenNode({ root: ROOT, env: process.env });
execFileSync(node, ["--input-type=module", "--eval", code], { cwd: ROOT, stdio: "inherit" });

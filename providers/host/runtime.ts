// What of Pulumi's runtime the host process loads. It takes one constant of it, and the whole brings
// along the serializer of closures with TypeScript and npm's own libraries: 560 modules more, three
// quarters of the time until the engine, which starts two of these in every run, can go on.

import Module, { createRequire } from "node:module";

const require = createRequire(import.meta.resolve("@pulumi/pulumi/package.json"));
const whole = require.resolve("@pulumi/pulumi/runtime");
/** The constant's own module, whose every name the whole has as well. */
const part = require("@pulumi/pulumi/runtime/settings");

const standIn = new Module(whole);
standIn.filename = whole;
standIn.loaded = true;
standIn.exports = new Proxy(part, {
  get(target, name) {
    if (name in target) return target[name];
    if (require.cache[whole] === standIn) delete require.cache[whole];
    return require(whole)[name];
  },
});
require.cache[whole] = standIn;

// The engine ends its plugins by SIGINT, and what Node has compiled is kept only at an exit.
process.on("SIGINT", () => process.exit(0));

// Run as the simulated user, in the user's copy of the project (the first argument): makes what
// Pulumi's environment points at, and prints the environment as JSON.
import { join } from "node:path";

const [root = ""] = process.argv.slice(2);
const { preparePulumi, pulumiEnvironment } = await import(join(root, "tools/pulumi-env.js"));
const environment = pulumiEnvironment();
preparePulumi(environment);
process.stdout.write(JSON.stringify(environment));

// Stands in for Pulumi's own `pulumi-language-nodejs` where that cannot be had: the engine starts
// it with its own address as the last argument, reads the port from the first line of output, and
// asks it by gRPC (`LanguageRuntime` in Pulumi's protocol) to run the program.

import { createRequire } from "node:module";
import { join } from "node:path";
import { endWithParent } from "../../host/end-with-parent.js";
import { endAll } from "./processes.js";

endWithParent(() => {
  endAll("SIGKILL");
  process.exit(1);
});

/** Modules as the SDK itself sees them: the engine starts this in the program's folder. */
const sdk = sdkRequire([process.cwd(), process.env.REPOMAN_ROOT]);
const grpc = sdk("@grpc/grpc-js");
const messages = {
  language: sdk("@pulumi/pulumi/proto/language_pb.js"),
  plugin: sdk("@pulumi/pulumi/proto/plugin_pb.js"),
  empty: sdk("google-protobuf/google/protobuf/empty_pb.js"),
};
const { LanguageRuntimeService } = sdk("@pulumi/pulumi/proto/language_grpc_pb.js");

/** @param {(string | undefined)[]} folders */
function sdkRequire(folders) {
  for (const folder of folders) {
    if (!folder) continue;
    try {
      const near = createRequire(join(folder, "package.json"));
      return createRequire(near.resolve("@pulumi/pulumi/package.json"));
    } catch {
      // Not installed there.
    }
  }
  process.stderr.write(
    `pulumi-language-nodejs: no @pulumi/pulumi below ${process.cwd()}; run npm ci there\n`,
  );
  process.exit(1);
}

const { handlers } = await import("./handlers.js");
const server = new grpc.Server({
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
});
server.addService(
  LanguageRuntimeService,
  handlers(
    messages,
    grpc.status,
    process.argv.at(-1) ?? "",
    sdk("@pulumi/pulumi/package.json").version,
  ),
);
// The engine interrupts its plugins when it is done with them.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => {
    endAll("SIGKILL");
    process.exit(0);
  });
}
server.bindAsync(
  "127.0.0.1:0",
  grpc.ServerCredentials.createInsecure(),
  (/** @type {Error | null} */ error, /** @type {number} */ port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  },
);

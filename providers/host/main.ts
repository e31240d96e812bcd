// The host process of the dynamic resources: Pulumi's own, which keeps neither what it is told nor
// what it should notice about the end of a run.
//
//   Ctrl-C     the engine calls `Cancel` and waits for the handlers, to which that is not passed
//              on: a copy of an hour would be waited for
//   kill -9    the engine puts its plugins into process groups of their own, so this process lives
//              on, at work on what it was doing

import { createRequire } from "node:module";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithParent } from "../../host/end-with-parent.js";
import { Fault } from "../../host/fault.js";
import { stop, woundDown } from "../stopping.ts";
import "./runtime.ts";

/** What handlers may take to let go: to end rsync, to record that, to cancel an operation. */
const LETTING_GO_MS = 500;
const PARENT_CHECK_MS = 200;

async function engineGone(): Promise<void> {
  stop(new Fault("the Pulumi engine is gone"));
  await Promise.race([woundDown(), sleep(LETTING_GO_MS)]);
  process.exit(1);
}

endWithParent(engineGone, PARENT_CHECK_MS);

// It may have gone before we came to look at who our parent is.
const address = /^(.+):(\d+)$/.exec(process.argv[2] ?? "");
if (address) {
  const socket = connect(Number(address[2]), address[1]);
  socket.once("connect", () => socket.destroy());
  socket.once("error", engineGone);
}

type Method = (call: unknown, callback: unknown) => void;

// The modules as Pulumi's host itself has them.
const require = createRequire(import.meta.resolve("@pulumi/pulumi/package.json"));
const { Server } = require("@grpc/grpc-js") as {
  Server: { prototype: { addService(service: object, handlers: Record<string, Method>): void } };
};
const { addService } = Server.prototype;
Server.prototype.addService = function (service, handlers) {
  const { cancel } = handlers;
  handlers.cancel = (call, callback) => {
    stop(new Fault("the run was stopped", { remedy: "Run again to go on." }));
    cancel?.call(handlers, call, callback);
  };
  addService.call(this, service, handlers);
};

// It prints what is thrown, whose stack is blank where it was foreseen (engine.ts); the engine shows
// that with the resource.
const { error } = console;
console.error = (...words: unknown[]) => {
  if (!String(words[0]).endsWith(": ")) error(...words);
};

require("@pulumi/pulumi/cmd/dynamic-provider");

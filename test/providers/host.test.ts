import { once } from "node:events";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { version } from "@pulumi/pulumi/version.js";
import { execa } from "execa";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { expect, onTestFinished, test } from "vitest";

const HOST = join(import.meta.dirname, "../../providers/host");

test("the host answers as Pulumi's own, and ends by an exit when the engine is done with it", async () => {
  const engine = createServer().listen(0, "127.0.0.1");
  await once(engine, "listening");
  onTestFinished(() => void engine.close());
  const { port: enginePort } = engine.address() as { port: number };
  const host = execa(join(HOST, "pulumi-resource-pulumi-nodejs"), [`127.0.0.1:${enginePort}`], {
    stdin: "pipe",
    reject: false,
    buffer: false,
    // As set-up's PATH has it: first the Node that is new enough.
    env: { PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` },
  });
  onTestFinished(() => void host.kill("SIGKILL"));
  const [line] = (await once(host.stdout, "data")) as [Buffer];
  const client = new services.ResourceProviderClient(
    `127.0.0.1:${Number(line.toString())}`,
    grpc.credentials.createInsecure(),
  );
  const info = await new Promise<PluginInfo>((resolve, reject) => {
    client.getPluginInfo(new Empty(), (error: Error | null, reply: PluginInfo) =>
      error ? reject(error) : resolve(reply),
    );
  });
  client.close();
  expect(info.getVersion()).toBe(version);
  host.kill("SIGINT");
  expect((await host).exitCode).toBe(0);
});

test("what stands in for Pulumi's runtime is the part that the host takes, and the whole when asked", async () => {
  const script = `
    await import(${JSON.stringify(join(HOST, "runtime.ts"))});
    const { createRequire } = await import("node:module");
    const require = createRequire(import.meta.resolve("@pulumi/pulumi/package.json"));
    const loaded = () => Object.keys(require.cache).some((file) => file.includes("serializeClosure"));
    const runtime = require("@pulumi/pulumi/runtime");
    const part = runtime.grpcChannelOptions;
    const early = loaded();
    const whole = typeof runtime.serializeFunction;
    const real = require("@pulumi/pulumi/runtime");
    console.log(JSON.stringify({ early, late: loaded(), whole, same: real.grpcChannelOptions === part, part }));`;
  const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", script]);
  const { part, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({ early: false, late: true, whole: "function", same: true });
  expect(part).toHaveProperty(["grpc.max_receive_message_length"]);
});

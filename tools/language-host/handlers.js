import { existsSync } from "node:fs";
import { join } from "node:path";
import { programDependencies, requiredPackages } from "./packages.js";
import { closed, endAll, interrupt, start } from "./processes.js";
import { runArguments, runEnvironment, runModule } from "./program.js";

/** What the SDK ends a program with when it has told the user already what went wrong. */
const BAIL = 32;

/**
 * What of the protocol the engine needs for a program in a project; all else (making projects,
 * packages and SDKs) is answered with UNIMPLEMENTED by the gRPC library.
 *
 * @param {{ language: any, plugin: any, empty: any }} messages the SDK's generated ones
 * @param {Record<string, number>} status gRPC's codes
 * @param {string} engine the engine's address
 * @param {string} sdkVersion
 */
export function handlers({ language, plugin, empty }, status, engine, sdkVersion) {
  let engineAddress = engine;

  /** @param {any} call @param {(error: unknown, reply?: unknown) => void} reply */
  function handshake(call, reply) {
    engineAddress = call.request.getEngineAddress();
    reply(null, new language.LanguageHandshakeResponse());
  }

  /** @param {any} _call @param {(error: unknown, reply?: unknown) => void} reply */
  function getPluginInfo(_call, reply) {
    reply(null, new plugin.PluginInfo().setVersion(sdkVersion));
  }

  /** @param {any} call @param {(error: unknown, reply?: unknown) => void} reply */
  function getRequiredPackages(call, reply) {
    const packages = requiredPackages(call.request.getInfo().getProgramDirectory());
    const list = packages.map(({ name, version, server, parameterization }) => {
      const one = new plugin.PackageDependency();
      one.setName(name).setKind("resource").setVersion(version).setServer(server);
      if (parameterization) {
        const parameters = new plugin.PackageParameterization();
        parameters.setName(parameterization.name).setVersion(parameterization.version);
        one.setParameterization(parameters.setValue(parameterization.value));
      }
      return one;
    });
    reply(null, new language.GetRequiredPackagesResponse().setPackagesList(list));
  }

  /** @param {any} call @param {(error: unknown, reply?: unknown) => void} reply */
  async function run(call, reply) {
    const request = call.request;
    const answer = new language.RunResponse();
    try {
      if (request.getAttachDebugger()) {
        throw new Error("a debugger can only be attached with Pulumi's own language host");
      }
      const { nodeArguments, variables } = runEnvironment(request.getInfo());
      const child = start(
        process.execPath,
        [...nodeArguments, ...runArguments(request, engineAddress)],
        {
          // Both lead to the engine, which shows them line by line.
          stdio: ["ignore", "inherit", "inherit"],
          env: {
            ...process.env,
            ...variables,
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
          },
        },
      );
      call.on("cancelled", () => interrupt(child));
      const { code, signal } = await closed(child);
      if (code === BAIL) answer.setBail(true);
      else if (signal) answer.setError(`the program was ended by ${signal}`);
      else if (code !== 0) answer.setError(`the program ended with exit code ${code}`);
    } catch (error) {
      answer.setError(`the program could not be run: ${/** @type {Error} */ (error).message}`);
    }
    reply(null, answer);
  }

  /** A plugin or policy pack that is itself a program for Node. @param {any} call */
  async function runPlugin(call) {
    const request = call.request;
    const info = request.getInfo();
    const folder = info.getProgramDirectory();
    try {
      if (request.getKind() === "analyzer") {
        throw new Error("policy packs need Pulumi's own language host");
      }
      const { nodeArguments, variables } = runEnvironment(info);
      const environment = request.getEnvList().map((/** @type {string} */ entry) => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at), entry.slice(at + 1)];
      });
      const child = start(
        process.execPath,
        [...nodeArguments, runModule("run-plugin", folder), folder, ...request.getArgsList()],
        { cwd: request.getPwd(), env: { ...Object.fromEntries(environment), ...variables } },
      );
      call.on("cancelled", () => interrupt(child));
      stream(child, call, language.RunPluginResponse);
      const { code } = await closed(child);
      call.write(new language.RunPluginResponse().setExitcode(code ?? 1));
      call.end();
    } catch (error) {
      fail(call, error);
    }
  }

  /** For `pulumi install`. @param {any} call */
  async function installDependencies(call) {
    const folder = call.request.getInfo()?.getProgramDirectory() ?? call.request.getDirectory();
    try {
      const how = existsSync(join(folder, "package-lock.json")) ? "ci" : "install";
      const child = start("npm", [how], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      call.on("cancelled", () => interrupt(child));
      stream(child, call, language.InstallDependenciesResponse);
      const { code } = await closed(child);
      if (code !== 0) throw new Error(`npm ${how} ended with exit code ${code}`);
      call.end();
    } catch (error) {
      fail(call, error);
    }
  }

  /** @param {any} call @param {unknown} error */
  function fail(call, error) {
    call.emit("error", {
      code: status.INTERNAL,
      details: error instanceof Error ? error.message : String(error),
    });
  }

  /** @param {any} call @param {(error: unknown, reply?: unknown) => void} reply */
  function getProgramDependencies(call, reply) {
    const folder = call.request.getInfo().getProgramDirectory();
    const list = programDependencies(folder, call.request.getTransitivedependencies()).map(
      ({ name, version }) => new language.DependencyInfo().setName(name).setVersion(version),
    );
    reply(null, new language.GetProgramDependenciesResponse().setDependenciesList(list));
  }

  /** @param {any} _call @param {(error: unknown, reply?: unknown) => void} reply */
  function about(_call, reply) {
    const answer = new language.AboutResponse();
    answer.setExecutable(process.execPath).setVersion(process.version);
    answer.getMetadataMap().set("languageHost", "repoman");
    reply(null, answer);
  }

  /** @param {any} _call @param {(error: unknown, reply?: unknown) => void} reply */
  function cancel(_call, reply) {
    endAll("SIGINT");
    reply(null, new empty.Empty());
  }

  return {
    about,
    cancel,
    getPluginInfo,
    getProgramDependencies,
    getRequiredPackages,
    handshake,
    installDependencies,
    run,
    runPlugin,
  };
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {any} call
 * @param {any} Response
 */
function stream(child, call, Response) {
  child.stdout?.on("data", (chunk) => call.write(new Response().setStdout(chunk)));
  child.stderr?.on("data", (chunk) => call.write(new Response().setStderr(chunk)));
}

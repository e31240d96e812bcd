// A shell in a container, its run state and its log, as an ordinary user has them.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instance, repoman, up } from "../engine/estate.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { until } from "../rig/place.ts";
import { KEY, openTerminal, type TerminalOptions } from "./terminal.ts";

let daemon: Daemon;
let host: Host;
const env = { PULUMI_STACK: "rig" };

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await host.repo("web");
  await host.repo("two words");
  await host.repo("unmade");
  host.writeRegistry({
    project: [
      { name: "web", backup: false },
      { name: "two", repo: "two words", running: true, backup: false },
    ],
  });
  await up(host);
  host.writeRegistry({
    project: [
      { name: "web", backup: false },
      { name: "two", repo: "two words", running: true, backup: false },
      { name: "unmade" },
    ],
  });
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

const status = async (name: string) => (await instance(daemon, name))?.status;
const stop = (name: string) =>
  daemon.api("PUT", `/1.0/instances/${name}/state?project=repoman`, {
    action: "stop",
    force: true,
  });
const terminal = (args: string[], options: TerminalOptions = {}) =>
  openTerminal(host, [join(host.project, "bin/repoman"), ...args], {
    ...options,
    env: { ...env, ...options.env },
  });

describe("shell", () => {
  test("runs a command as the repository's owner, in the repository, with its input and exit code", async () => {
    const script = 'pwd; id -u; id -g; echo "$HOME $USER $SHELL"; cat; exit 7';
    const { stdout, stderr, exitCode } = await host.repoman(
      ["shell", "two", "--", "sh", "-c", script, "--help", "it's"],
      { env, input: "in\nput" },
    );
    const { uid, gid, home, name } = host.user;
    expect(stdout).toBe(
      `${join(host.reposRoot, "two words")}\n${uid}\n${gid}\n${home} ${name} /bin/sh\nin\nput`,
    );
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 7 });
    const root = await host.repoman(
      ["shell", "web", "--root", "--", "sh", "-c", "id -u; echo $HOME"],
      {
        env,
      },
    );
    expect(root.stdout).toBe("0\n/root\n");
    const other = { INCUS_PROJECT: "default", INCUS_REMOTE: "images" };
    const elsewhere = await host.repoman(["shell", "web", "--", "pwd"], {
      env: { ...env, ...other },
    });
    expect(elsewhere.stdout).toBe(`${join(host.reposRoot, "web")}\n`);
  });

  test("is a login shell on the user's own terminal: size, keys, Ctrl-C, language, exit code", async () => {
    const shell = terminal(["shell", "web"], {
      columns: 77,
      rows: 21,
      env: { TERM: "xterm-256color", LC_TIME: "C.UTF-8", PS1: "" },
    });
    await shell.shows("$ ");
    shell.type(`stty size; echo "$TERM $LANG $LC_TIME $0"${KEY.enter}`);
    await shell.shows("21 77");
    await shell.shows("xterm-256color C.UTF-8 C.UTF-8 ");
    await shell.resize(101, 33);
    shell.type(`stty size${KEY.enter}`);
    await shell.shows("33 101");
    // Ctrl-C ends what runs inside, and not the shell.
    shell.type(`sleep 1000; echo "ended $?"${KEY.enter}`);
    await until("sleep inside", async () => {
      const { stdout } = await host.sh("web", "ps");
      return stdout.includes("sleep 1000");
    });
    shell.type(KEY.interrupt);
    await until(
      "sleep to end",
      async () => !(await host.sh("web", "ps")).stdout.includes("sleep 1000"),
    );
    shell.type(`echo "ali""ve"${KEY.enter}`);
    await shell.shows("alive");
    shell.type(`exit 42${KEY.enter}`);
    expect(await shell.done).toMatchObject({ exitCode: 42 });
  });

  test("asks before it starts a container; without a terminal that is bad usage", async () => {
    await stop("web");
    const { all } = await repoman(host, 2, "shell", "web", "--", "true");
    expect(all).toContain("does not run (stopped)\n  Add --start");
    const refused = terminal(["shell", "web", "--", "true"]);
    await refused.shows("web is stopped. Start it?");
    refused.type("n");
    expect(await refused.done).toMatchObject({ exitCode: 1 });
    expect(await status("web")).toBe("Stopped");
    const agreed = terminal(["shell", "web", "--", "sh", "-c", "read -r word; echo got $word"]);
    await agreed.shows("Start it?");
    agreed.type("y");
    await until("web to run", async () => (await status("web")) === "Running");
    agreed.type(`this${KEY.enter}`);
    await agreed.shows("got this");
    expect(await agreed.done).toMatchObject({ exitCode: 0 });
    await stop("web");
    const { stdout } = await repoman(host, 0, "shell", "web", "--start", "--", "echo", "up");
    expect(stdout).toBe("up\n");
  });

  test("asks which one where none is named", async () => {
    const shell = terminal(["shell", "--", "pwd"]);
    await shell.shows("Which one to enter?");
    shell.type(KEY.enter);
    expect(await shell.done).toMatchObject({
      exitCode: 0,
      text: expect.stringContaining("repos/web"),
    });
    expect((await repoman(host, 2, "shell", "--", "pwd")).all).toContain("There are: web, two");
  });

  test("says what is wrong with a name, and how to mend it", async () => {
    expect((await repoman(host, 2, "shell", "wob")).all).toContain("Did you mean web?");
    expect((await repoman(host, 1, "shell", "unmade")).all).toContain("repoman up unmade");
    await daemon.incus("launch", "busybox", "unmade", "--project", "repoman");
    expect((await repoman(host, 4, "shell", "unmade")).all).toContain("repoman adopt unmade");
    expect((await repoman(host, 4, "stop", "unmade")).all).toContain("is not this stack's");
    expect(await status("unmade")).toBe("Running");
    await daemon.incus("delete", "--force", "unmade", "--project", "repoman");
  });
});

describe("start, stop and restart", () => {
  test("change the run state of several, say so, and say what the next up would undo", async () => {
    const stopped = await repoman(host, 0, "stop", "web", "two", "--force");
    expect(stopped.stderr).toMatch(/web: stopped/);
    expect(stopped.stderr).toMatch(
      /running = true for two, so the next `bin\/repoman up` starts it/,
    );
    expect([await status("web"), await status("two")]).toEqual(["Stopped", "Stopped"]);
    expect((await repoman(host, 0, "stop", "web")).stderr).toBe("web: is stopped already\n");
    expect((await repoman(host, 0, "restart", "web")).stderr).toBe("web: restarted\n");
    await repoman(host, 0, "start", "two", "web");
    expect([await status("web"), await status("two")]).toEqual(["Running", "Running"]);
    const { stdout } = await repoman(host, 0, "log", "--json");
    expect(stdout).toContain('"restart"');
  });

  test("a container that does not stop is left running, and may be killed", async () => {
    // Its init, frozen where it is, takes no notice of being asked.
    const { metadata } = await daemon.api("GET", "/1.0/instances/web/state?project=repoman");
    process.kill(metadata.pid, "SIGSTOP");
    const { all } = await repoman(host, 1, "stop", "web", "--timeout", "1");
    expect(all).toContain(
      "did not stop within 1 s\n  Give it longer (--timeout), or kill it: bin/repoman stop web --force",
    );
    await repoman(host, 0, "stop", "web", "--force");
    await repoman(host, 0, "start", "web");
  });

  test("need to be told which, and refuse what is no number of seconds", async () => {
    expect((await repoman(host, 2, "start")).all).toContain("which project to start");
    expect((await repoman(host, 2, "stop", "web", "--timeout", "soon")).all).toContain(
      "--timeout soon",
    );
    expect((await repoman(host, 1, "restart", "unmade")).all).toContain("repoman up unmade");
  });
});

describe("logs", () => {
  test("shows what went to the console, harmless unless it is asked for as it was", async () => {
    await host.sh(
      "web",
      "printf 'one\\n\\033]0;owned\\007two\\n\\033[31mred\\033[0m\\n' >/dev/console",
    );
    const { stdout } = await repoman(host, 0, "logs", "web", "-n", "2");
    expect(stdout).toBe("\\u001b]0;owned\\u0007two\nred\n");
    const raw = await repoman(host, 0, "logs", "web", "-n", "1", "--raw");
    expect(raw.stdout).toContain("\u001b[31mred\u001b[0m");
  });

  test("goes on with what comes until it is stopped, which is a good end", async () => {
    const following = host.spawnRepoman(["logs", "web", "--follow", "-n", "0"], { env });
    // Whatever it finds when it first looks was there before: so something comes until it has.
    let looked = false;
    const heard = following.printed("again\n").then(() => {
      looked = true;
    });
    while (!looked) {
      await host.sh("web", "echo again >/dev/console");
      await pause(100);
    }
    await heard;
    await host.sh("web", "echo later >/dev/console");
    await following.printed("later\n");
    following.killGroup("SIGINT");
    const { exitCode, all } = await following.done;
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/^(again\n)+later\n$/);
  });

  test("reads the journal where systemd is at work, and passes on what comes there", async () => {
    // What stands in for systemd and its journal in an image of the tests.
    const journalctl =
      '#!/bin/sh\\necho "journal $*"\\ncase "$*" in *--follow*) echo more; exec sleep 1000 ;; esac\\n';
    await host.sh(
      "web",
      `mkdir -p /run/systemd/system; printf '${journalctl}' >/bin/journalctl; chmod +x /bin/journalctl`,
    );
    const { stdout } = await repoman(host, 0, "logs", "web", "-n", "3");
    expect(stdout).toMatch(/^journal .*--lines=3\n$/);
    expect((await repoman(host, 0, "logs", "web", "--console", "-n", "1")).stdout).toBe("later\n");
    const following = host.spawnRepoman(["logs", "web", "-f"], { env });
    await following.printed("more\n");
    following.killGroup("SIGINT");
    const { exitCode, all } = await following.done;
    expect(exitCode, all).toBe(0);
    await until(
      "journalctl to end inside",
      async () => !(await host.sh("web", "ps")).stdout.includes("sleep 1000"),
    );
  });
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "smol-toml";
import { type BackupDisk, makeBackupDisk } from "./backup.ts";
import { type CommandOptions, type Finished, type Running, run, start } from "./command.ts";
import { copyProject, linkToolchain, own, PROJECT } from "./copy.ts";
import { clientFolder, type Daemon } from "./daemon.ts";
import { unmountBelow } from "./mounts.ts";
import { newFolder } from "./place.ts";
import { asUser, ensureSubids, makeUser, type User } from "./users.ts";

export interface HostOptions {
  /** `dev` is a new user in the daemon's group; `root` is root with a home of its own. */
  user: "root" | "dev";
  /** The machine's Incus; without one there is none to be found. */
  daemon?: Daemon;
  /** Whether /etc/subuid and /etc/subgid let containers use the user's ids. Default true. */
  subids?: boolean;
  /** More of the user's environment. */
  env?: NodeJS.ProcessEnv;
}

/** One machine as a user of repoman has it: a home, repositories, a backup disk, an Incus. */
export interface Host {
  readonly user: User;
  readonly daemon: Daemon | undefined;
  readonly home: string;
  /** `~/repos` */
  readonly reposRoot: string;
  /** The user's copy of the project; stack configuration lands here. */
  readonly project: string;
  readonly backup: BackupDisk;
  readonly env: NodeJS.ProcessEnv;
  /** Makes a git repository below `reposRoot` with a commit of these files; returns its path. */
  repo(name: string, files?: Record<string, string>): Promise<string>;
  /** Writes a file as the user's, with its folders. Relative to the home; returns its path. */
  write(path: string, content: string): string;
  /**
   * The registry at its usual place. An object gets `[repoman]` and `[defaults]` that fit this
   * host, in which its own keys win; a string is written as it is.
   */
  writeRegistry(content: string | RegistryInput): string;
  /** Starts any command as the user, in the project's folder unless said otherwise. */
  spawn(argv: string[], options?: CommandOptions): Running;
  run(argv: string[], options?: CommandOptions): Promise<Finished>;
  /** `bin/repoman` as the user, without a terminal. */
  repoman(args: string[], options?: CommandOptions): Promise<Finished>;
  spawnRepoman(args: string[], options?: CommandOptions): Running;
  /** Plain `pulumi` in the environment that `repoman env` gives. */
  pulumi(args: string[], options?: CommandOptions): Promise<Finished>;
  /** The stack's state as it lies in the backend, which `pulumi stack export` takes a second for. */
  // biome-ignore lint/suspicious/noExplicitAny: a test names the fields it looks at
  deployment(stack: string): any;
  /** A script in a container, as root there unless a uid is given. */
  sh(container: string, script: string, options?: InContainer): Promise<Finished>;
  /** Makes a daemon that listens (`https`) a remote of the user's `incus` client. */
  addRemote(name: string, daemon: Daemon): Promise<void>;
  dispose(): Promise<void>;
}

export interface RegistryInput {
  defaults?: Record<string, unknown>;
  project?: Record<string, unknown>[];
  [section: string]: unknown;
}

export interface InContainer {
  /** The Incus project. Default `repoman`. */
  project?: string;
  uid?: number;
  gid?: number;
  cwd?: string;
}

export async function makeHost(options: HostOptions): Promise<Host> {
  const { daemon } = options;
  const { folder, number } = newFolder("h");
  const user = await account(options.user, daemon, number);
  const { home } = user;
  // Root's ids are mapped in no container.
  if (options.subids !== false && user.uid !== 0) await ensureSubids("root", user.uid, 1);
  const project = join(folder, "repoman");
  const reposRoot = join(home, "repos");
  mkdirSync(reposRoot);
  const env: NodeJS.ProcessEnv = {
    HOME: home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    PATH: process.env.PATH,
    // Without a daemon there must be none found at the machine's own place either.
    INCUS_DIR: daemon?.dir ?? join(folder, "no-incus"),
    ...options.env,
  };
  const [backup] = await Promise.all([makeBackupDisk(user), copyProject(project, user)]);
  mkdirSync(join(home, ".cache/repoman"), { recursive: true });
  await linkToolchain(env, project, user);
  own(home, user);

  const spawn = (argv: string[], { cwd = project, env: more, ...rest }: CommandOptions = {}) =>
    start([...asUser(user), ...argv], { ...rest, cwd, env: { ...env, ...more } });
  const launch = (argv: string[], given?: CommandOptions) => spawn(argv, given).done;
  const git = async (...args: string[]) => {
    const identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.org"];
    const { exitCode, all } = await launch(["git", ...identity, ...args]);
    if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${all}`);
  };
  const write = (path: string, content: string) => {
    const file = path.startsWith("/") ? path : join(home, path);
    const made = mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    own(made ?? file, user);
    return file;
  };
  const stateFile = (stack: string) =>
    join(home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman", `${stack}.json`);
  let pulumiEnv: NodeJS.ProcessEnv | undefined;

  const host: Host = {
    user,
    daemon,
    home,
    reposRoot,
    project,
    backup,
    env,
    spawn,
    run: launch,
    write,
    async repo(name, files = { "README.md": `# ${name}\n` }) {
      const path = join(reposRoot, name);
      mkdirSync(path, { recursive: true });
      own(path, user);
      for (const [file, content] of Object.entries(files)) write(join(path, file), content);
      await git("init", "--quiet", "--initial-branch=main", path);
      await git("-C", path, "add", "--all");
      await git("-C", path, "commit", "--quiet", "--message", "First");
      return path;
    },
    writeRegistry(content) {
      const file = join(home, ".config/repoman/repoman.toml");
      return write(
        file,
        typeof content === "string" ? content : stringify(complete(content, host)),
      );
    },
    spawnRepoman: (args, given) => spawn([join(project, "bin/repoman"), ...args], given),
    repoman: (args, given) => host.spawnRepoman(args, given).done,
    async pulumi(args, given = {}) {
      pulumiEnv ??= await environment();
      return launch(["pulumi", ...args], { ...given, env: { ...pulumiEnv, ...given.env } });
    },
    deployment: (stack) => JSON.parse(readFileSync(stateFile(stack), "utf8")).checkpoint.latest,
    sh(container, script, { project: incusProject = "repoman", uid, gid, cwd } = {}) {
      const flags = ["--project", incusProject, "--force-noninteractive"];
      if (uid !== undefined) flags.push("--user", String(uid));
      if (gid !== undefined) flags.push("--group", String(gid));
      if (cwd !== undefined) flags.push("--cwd", cwd);
      const command = ["incus", "exec", ...flags, container, "--", "sh", "-c", script];
      return run(command, {
        env: { ...process.env, ...daemon?.env, INCUS_CONF: clientFolder() },
      });
    },
    async addRemote(name, { incus }) {
      const token = await incus("config", "trust", "add", name, "--quiet");
      const { exitCode, all } = await launch(["incus", "remote", "add", name, token.stdout.trim()]);
      if (exitCode !== 0) throw new Error(`incus remote add ${name}: ${token.stderr}${all}`);
    },
    async dispose() {
      await unmountBelow(backup.path);
      await unmountBelow(project);
      for (const place of [dirname(backup.path), folder, home]) {
        rmSync(place, { recursive: true, force: true });
      }
    },
  };

  async function environment(): Promise<NodeJS.ProcessEnv> {
    const script = join(PROJECT, "test/rig/pulumi-environment.js");
    const { exitCode, stdout, all } = await launch([process.execPath, script, project]);
    if (exitCode !== 0) throw new Error(`the environment of pulumi: ${all}`);
    return JSON.parse(stdout);
  }
  return host;
}

async function account(kind: "root" | "dev", daemon: Daemon | undefined, number: number) {
  if (kind === "dev") return makeUser("dev", daemon ? [daemon.group] : []);
  const home = `/root/machine${number}`;
  mkdirSync(home, { mode: 0o700 });
  return { name: "root", uid: 0, gid: 0, home };
}

function complete(input: RegistryInput, host: Host): RegistryInput {
  return {
    repoman: { schema: 3 },
    ...input,
    defaults: {
      repos_root: host.reposRoot,
      backup_root: host.backup.path,
      default_image: "busybox",
      ...input.defaults,
    },
  };
}

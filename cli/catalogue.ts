// Every command of `repoman`: what the overview shows, and where its definition lies. A definition
// is loaded only for the command that is asked for, so that a quick command stays quick.

import type { Command } from "commander";

/** What a file in `commands/` exports. */
export interface CommandModule {
  /** Adds arguments, options, examples and the action to a command that has its name and summary. */
  define(command: Command): void;
}

export interface Entry {
  name: string;
  summary: string;
  /** The heading in the overview. */
  group: "Estate" | "Projects" | "Profiles" | "Backups" | "Host";
  /** Called by other parts of repoman, not by people. */
  hidden?: true;
  load(): Promise<CommandModule>;
}

export const catalogue: readonly Entry[] = [
  {
    name: "list",
    summary: "all projects with their state, address, last copy and drift",
    group: "Estate",
    load: () => import("./commands/list.ts"),
  },
  {
    name: "status",
    summary: "the health of it all, with a remedy for whatever is not good",
    group: "Estate",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "preview",
    summary: "show what `up` would change, and what has drifted",
    group: "Estate",
    load: () => import("./commands/preview.ts"),
  },
  {
    name: "up",
    summary: "bring the containers and backups to what the registry declares",
    group: "Estate",
    load: () => import("./commands/up.ts"),
  },
  {
    name: "destroy",
    summary: "remove what `up` has made; repositories and backups stay",
    group: "Estate",
    load: () => import("./commands/destroy.ts"),
  },
  {
    name: "refresh",
    summary: "read the live objects into Pulumi's state, and change nothing else",
    group: "Estate",
    load: () => import("./commands/refresh.ts"),
  },
  {
    name: "sync",
    summary: "mirror repositories to the backup disk now",
    group: "Backups",
    load: () => import("./commands/sync.ts"),
  },
  {
    name: "log",
    summary: "what repoman did on this host, and when",
    group: "Estate",
    load: () => import("./commands/log.ts"),
  },
  {
    name: "trust",
    summary: "see what a repository asks for itself, and let it count",
    group: "Projects",
    load: () => import("./commands/trust.ts"),
  },
  {
    name: "new",
    summary: "make a container for a repository, and its entry in the registry",
    group: "Projects",
    load: () => import("./commands/new.ts"),
  },
  {
    name: "remove",
    summary: "remove a project's container and entry; repository and backup stay",
    group: "Projects",
    load: () => import("./commands/remove.ts"),
  },
  {
    name: "rename",
    summary: "give a project another name, with nothing made anew",
    group: "Projects",
    load: () => import("./commands/rename.ts"),
  },
  {
    name: "enable",
    summary: "take a disabled project up again",
    group: "Projects",
    load: () => import("./commands/enable.ts"),
  },
  {
    name: "disable",
    summary: "keep a project in the registry without bringing it up",
    group: "Projects",
    load: () => import("./commands/disable.ts"),
  },
  {
    name: "update",
    summary: "apply one project's overrides",
    group: "Projects",
    load: () => import("./commands/update.ts"),
  },
  {
    name: "setup",
    summary: "look at this host, and write the registry and the stack's config",
    group: "Host",
    load: () => import("./commands/setup.ts"),
  },
  {
    name: "shell",
    summary: "a shell in a container, as yourself and in the repository",
    group: "Projects",
    load: () => import("./commands/shell.ts"),
  },
  {
    name: "start",
    summary: "start containers",
    group: "Projects",
    load: () => import("./commands/start.ts"),
  },
  {
    name: "stop",
    summary: "stop containers",
    group: "Projects",
    load: () => import("./commands/stop.ts"),
  },
  {
    name: "restart",
    summary: "restart containers",
    group: "Projects",
    load: () => import("./commands/restart.ts"),
  },
  {
    name: "logs",
    summary: "what a container has logged",
    group: "Projects",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "adopt",
    summary: "take a container that repoman did not make into the estate, as it is",
    group: "Estate",
    load: () => import("./commands/adopt.ts"),
  },
  {
    name: "repair",
    summary: "go through what is not as the registry says: recreate, adopt, forget or destroy",
    group: "Estate",
    load: () => import("./commands/repair.ts"),
  },
  {
    name: "backup",
    summary: "look after the copies: init, verify, log",
    group: "Backups",
    load: () => import("./commands/backup.ts"),
  },
  {
    name: "restore",
    summary: "bring a repository back from its copy, or from an older state of it",
    group: "Backups",
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "config",
    summary: "find, edit, check or migrate the registry's file",
    group: "Host",
    load: () => import("./commands/config.ts"),
  },
  {
    name: "migrate",
    summary: "bring what an older repoman left to what this one works with",
    group: "Host",
    load: () => import("./commands/migrate.ts"),
  },
  {
    name: "profile",
    summary: "the library of profiles: see, install, compare and write them",
    group: "Profiles",
    load: () => import("./commands/profile.ts"),
  },
  {
    name: "env",
    summary: "print the environment in which plain `pulumi` commands work",
    group: "Host",
    load: () => import("./commands/env.ts"),
  },
  {
    name: "completion",
    summary: "print the completion script of a shell",
    group: "Host",
    load: () => import("./commands/completion.ts"),
  },
  {
    name: "daemon",
    summary: "look at, start or stop the Incus daemon that is repoman's own",
    group: "Host",
    load: () => import("./commands/daemon.ts"),
  },
  {
    name: "uninstall",
    summary: "take repoman off this host; repositories and backups stay",
    group: "Host",
    load: () => import("./commands/uninstall.ts"),
  },
  {
    name: "demo",
    summary: "what the demo estate has to show",
    group: "Host",
    hidden: true,
    load: () => import("./commands/demo.ts"),
  },
];

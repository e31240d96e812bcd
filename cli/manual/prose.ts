// What the page says that no definition does. Backticks mark what is typed.

export const INTRODUCTION: readonly string[] = [
  "repoman gives each repository an Incus container of its own, with the repository mounted at its usual path, so that risky tools can work on it with full permissions, and mirrors each repository to a backup disk. One file, the registry, declares all of this; Pulumi makes it true.",
  "A command that changes the registry changes nothing on the host by itself; `repoman up` does. A command that would ask does not where there is no terminal: it exits with 2 and has changed nothing, unless it was given `--yes`.",
];

export const FILES: readonly (readonly [string, string])[] = [
  [
    "$XDG_CONFIG_HOME/repoman/repoman.toml",
    "The registry. Below ~/.config where the variable is not set. `repoman config path` prints which file counts.",
  ],
  ["$XDG_CONFIG_HOME/repoman/profiles.d/*.yml", "Profiles of your own."],
  ["$XDG_CONFIG_HOME/repoman/repos.d/<name>.toml", "Overrides for one project."],
  [
    "Pulumi.<stack>.yaml",
    "In repoman's own folder: a stack's settings. It holds a salt; keep it out of version control.",
  ],
  [
    "$XDG_STATE_HOME/repoman/",
    "Pulumi's state and its passphrase, the journal, the records of mirror runs. Below ~/.local/state where the variable is not set.",
  ],
  [
    "$XDG_DATA_HOME/repoman/trusted/",
    "What was approved of the requests of repositories. Below ~/.local/share where the variable is not set.",
  ],
  [
    "$XDG_CACHE_HOME/repoman/",
    "The toolchain and other caches; may be deleted at any time. Below ~/.cache where the variable is not set.",
  ],
  [
    ".repoman.toml, .repoman-exclude",
    "In a repository: what it asks for itself. Counts only after `repoman trust`.",
  ],
];

export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["PULUMI_STACK", "The stack where no `--stack` is given; else the host's name."],
  [
    "PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE",
    "Where Pulumi keeps its state, and what encrypts secrets in it, if not below $XDG_STATE_HOME.",
  ],
  [
    "INCUS_SOCKET, INCUS_DIR",
    "Where Incus listens, as for its own client. `INCUS_REMOTE` and `INCUS_PROJECT` are ignored.",
  ],
  ["INCUS_CONF", "The folder with the incus client's remotes and keys."],
  [
    "LOCAL_REPOS, NFS_REPOS",
    "Stand in for repos_root and backup_root where the registry does not set them.",
  ],
  ["REPOMAN_TOOLCHAIN", "Another folder for the toolchain than that in the cache."],
  ["VISUAL, EDITOR", "The editor of `config edit` and `profile edit`."],
  ["NO_COLOR, FORCE_COLOR", "No colours, or colours where there is no terminal."],
  ["REPOMAN_DEBUG", "Show the stack of errors."],
];

export const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ["0", "All is good."],
  ["1", "Something failed, or drift was found by what was asked to judge."],
  ["2", "Bad usage, or a question that there is nobody to ask."],
  ["3", "The environment: no Incus, no disk, no network, a tool that is missing."],
  ["4", "A conflict that needs a decision."],
];

export const SEE_ALSO = "`incus`(1), `pulumi`(1), `rsync`(1)";

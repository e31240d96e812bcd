import {
  type About,
  AlreadyExists,
  BadRequest,
  Busy,
  Forbidden,
  IncusError,
  type IncusErrorOptions,
  InUse,
  MemberDown,
  NotFound,
  OperationFailed,
  PreconditionFailed,
  SavedWithFailures,
  TimedOut,
  Unreachable,
} from "./errors.ts";

type Kind = new (about: About, detail: string, options: IncusErrorOptions) => IncusError;

interface Rule {
  /** What the server's text must match */
  text?: RegExp;
  /** The HTTP status of the reply, when it must be that */
  status?: number;
  kind: Kind;
  remedy?: string | ((about: About) => string);
  /** What to say where the server's words help nobody */
  detail?: string;
}

const FULL_RIGHTS =
  "use an account or certificate with full rights on this server (group incus-admin, or an unrestricted certificate)";

/**
 * What the server's errors mean. Many carry the code 400 or 500 whatever happened, so texts come
 * first; the first rule that matches counts. Texts are those of Incus 6.0 to 7.
 */
const RULES: Rule[] = [
  {
    // The first request after a member's death says the first, those that follow the second; a
    // placement on it fails to connect, and what ran through it ends in the last.
    text: /Missing event connection with target cluster member|Server isn't ready yet|^\w+ "https:\S+": Unable to connect to|^unexpected EOF$/i,
    kind: MemberDown,
    remedy:
      "see which member is down (`incus cluster list`) and bring it back; nothing on it is lost",
  },
  {
    text: /Instance is busy running|operation is already running|already .* operation in progress/i,
    kind: Busy,
    remedy: (about) =>
      "see what holds it (`incus operation list --all-projects`) and run this again; where nothing is " +
      `listed, it was told to stop and does not: ${forceStop(about)}`,
  },
  {
    // The server keeps the instance locked until it has stopped; only a forced stop gets through.
    text: /Failed shutting down instance/i,
    kind: TimedOut,
    remedy: (about) =>
      `stop it by force (${forceStop(about)}); until it has stopped it cannot be changed`,
  },
  {
    text: /profile change still saved/i,
    kind: SavedWithFailures,
    remedy: "mend what the message names; the instances take the profile at their next start",
  },
  {
    text: /Profile is currently in use/i,
    kind: InUse,
    remedy: ({ subject }) =>
      `see by what (\`incus profile show --project default ${nameIn(subject)}\`, used_by) and take the profile off those instances first`,
  },
  {
    text: /Only empty projects can be/i,
    kind: InUse,
    remedy: ({ subject }) =>
      `see what is inside (\`incus project show ${nameIn(subject)}\`, used_by) and remove that first`,
  },
  {
    text: /currently in use|is in use/i,
    kind: InUse,
    remedy: "see by what (used_by in its `show`) and take it off there first",
  },
  {
    status: 412,
    kind: PreconditionFailed,
    remedy: "somebody else keeps changing it; run this again",
  },
  { status: 404, kind: NotFound },
  { status: 409, kind: AlreadyExists },
  {
    text: /UNIQUE constraint failed: .*\.name$/i,
    kind: AlreadyExists,
    detail: "there is one of that name already",
  },
  {
    text: /already exists|already in use|already defined/i,
    kind: AlreadyExists,
  },
  {
    text: /Certificate is restricted|does not have permissions? (for|on)/i,
    kind: Forbidden,
    remedy: FULL_RIGHTS,
  },
  {
    status: 403,
    kind: Forbidden,
    remedy: FULL_RIGHTS,
  },
  {
    status: 503,
    kind: Unreachable,
    remedy:
      "the daemon is starting or stopping; wait until `incus info` answers and run this again",
  },
  {
    text: /context deadline exceeded|timed? ?out/i,
    kind: TimedOut,
  },
  {
    text: /Unknown configuration key|Invalid (value|config|device|option)|validation (failed )?for|Requested profile .* doesn't exist/i,
    kind: BadRequest,
  },
  { status: 400, kind: BadRequest },
];

/** Remedies for failures whose kind says nothing about their cause. */
const REMEDIES: [RegExp, string][] = [
  [
    /new[ug]idmap|idmap.*(not allowed|isn't within|range)|Failed to set ID mapping/i,
    "allow the ids of the id map in /etc/subuid and /etc/subgid (root:<id>:1): npm start does it",
  ],
  [
    /Failed getting (remote )?image|Failed to connect to the server/i,
    "the server fetches images itself: see that it reaches that address (its proxy is core.proxy_https), or name an image that it has",
  ],
  [/Missing source path "?([^"\n]+)"?/i, "put that path back, or mark the mount optional"],
  [/no space left|disk quota exceeded/i, "free space in the storage pool: incus storage info NAME"],
  [
    /No root device could be found/i,
    "give a profile of the instance a root disk: incus profile device add default root disk pool=NAME path=/",
  ],
];

/** The error for an error reply. */
export function fromResponse(
  about: About,
  reply: { status: number; error: string; errorCode: number },
): IncusError {
  return map(about, reply.error, reply.errorCode || reply.status, false);
}

/**
 * The error for an operation that failed. Its code is never taken for a 404: what was not found
 * then is something that the operation needed, not the object itself.
 */
export function fromOperation(about: About, error: string): IncusError {
  return map(about, error, 400, true);
}

/**
 * Not the object, but something that it needs or names (a project, a profile, a network) is not
 * there: what a 404 means when an object is made or changed.
 */
export function missingPart(about: About, error: NotFound): BadRequest {
  return new BadRequest(about, error.detail, { status: error.status, cause: error });
}

/** Makes an object; a 404 is then never the object's own. */
export async function creating<T>(about: About, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw error instanceof NotFound ? missingPart(about, error) : error;
  }
}

function map(about: About, text: string, status: number, operation: boolean): IncusError {
  const detail =
    text.trim().replace(/\.$/, "") || `the server answers ${status} and does not say why`;
  const rule = RULES.find(
    (rule) =>
      (rule.text === undefined || rule.text.test(text)) &&
      (rule.status === undefined || (!operation && rule.status === status)),
  );
  const kind: Kind = rule?.kind ?? (operation ? OperationFailed : IncusError);
  const ofRule = typeof rule?.remedy === "function" ? rule.remedy(about) : rule?.remedy;
  const remedy = REMEDIES.find(([pattern]) => pattern.test(text))?.[1] ?? ofRule;
  return new kind(about, rule?.detail ?? detail, { status, remedy });
}

/** How the incus client stops the instance that a request is about. */
function forceStop({ subject }: About): string {
  const project = / in project "([^"]+)"$/.exec(subject)?.[1];
  const where = project === undefined ? "" : ` --project ${project}`;
  return `incus stop --force${where} ${nameIn(subject)}`;
}

/** The name of the object in an `About`'s subject; a placeholder where it has none. */
function nameIn(subject: string): string {
  return /^\w+ "([^"\s]+)"/.exec(subject)?.[1] ?? "NAME";
}

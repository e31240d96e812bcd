import { EXIT, Fault } from "../host/fault.js";

/** What a request is about: `cannot <verb> <subject>` begins the message of its failure. */
export interface About {
  /** An infinitive: `read`, `update`, `start` */
  verb: string;
  /** The object in words, such as `instance "alpha" in project "repoman"` */
  subject: string;
}

export interface IncusErrorOptions {
  remedy?: string | undefined;
  /** HTTP status, or the status code of an operation */
  status?: number | undefined;
  cause?: unknown;
}

/** A failure that has to do with the Incus server. The subclasses are the kinds that callers tell apart. */
export class IncusError extends Fault {
  readonly subject: string;
  readonly status: number | undefined;
  /** What the server said, or what happened to the connection */
  readonly detail: string;

  constructor(
    about: About,
    detail: string,
    options: IncusErrorOptions = {},
    exitCode: number = EXIT.failed,
  ) {
    super(`cannot ${about.verb} ${about.subject}: ${detail}`, {
      exitCode,
      ...(options.remedy === undefined ? {} : { remedy: options.remedy }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.name = new.target.name;
    this.subject = about.subject;
    this.status = options.status;
    this.detail = detail;
  }
}

/** A server that answered says that the object is not there. Nothing else is ever this. */
export class NotFound extends IncusError {}

/** What a request gives, or undefined where the server says that there is no such thing. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** The server refused the request's content. */
export class BadRequest extends IncusError {}

/** An operation was accepted and failed, or its outcome cannot be known. */
export class OperationFailed extends IncusError {}

/** A profile was saved, but some instances that use it could not take it. */
export class SavedWithFailures extends OperationFailed {}

/** It took longer than it may; the server itself answers. */
export class TimedOut extends IncusError {}

/** Another operation holds the instance, and did not let go of it in time. */
export class Busy extends IncusError {}

/** It cannot be removed while something uses it. */
export class InUse extends IncusError {}

export class AlreadyExists extends IncusError {
  constructor(about: About, detail: string, options: IncusErrorOptions = {}) {
    super(about, detail, options, EXIT.conflict);
  }
}

/** The object changed between read and write, more often than we would try again. */
export class PreconditionFailed extends IncusError {
  constructor(about: About, detail: string, options: IncusErrorOptions = {}) {
    super(about, detail, options, EXIT.conflict);
  }
}

/** The server cannot be reached, or stopped answering: says nothing about any object. */
export class Unreachable extends IncusError {
  constructor(about: About, detail: string, options: IncusErrorOptions = {}) {
    super(about, detail, options, EXIT.environment);
  }
}

/** The server answers, but the cluster member that holds the object does not. */
export class MemberDown extends IncusError {
  constructor(about: About, detail: string, options: IncusErrorOptions = {}) {
    super(about, detail, options, EXIT.environment);
  }
}

export class Forbidden extends IncusError {
  constructor(about: About, detail: string, options: IncusErrorOptions = {}) {
    super(about, detail, options, EXIT.environment);
  }
}

/**
 * @param project left out for the objects that belong to no project
 * @returns such as `instance "alpha" in project "repoman"`
 */
export function named(kind: string, name: string, project?: string): string {
  const where = project === undefined ? "" : ` in project ${JSON.stringify(project)}`;
  return `${kind} ${JSON.stringify(name)}${where}`;
}

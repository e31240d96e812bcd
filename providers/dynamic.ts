// The thin stub between Pulumi's dynamic resources and the handlers in this folder.
//
// Pulumi keeps the source of a dynamic provider in the state of each of its resources, and `read`
// and `delete` run the source that was stored. Serialized closures would therefore freeze old code
// into every container. What is stored here is one constant per resource type that imports the
// handlers from the project's folder, where Pulumi starts the provider process.

import { type Input, type Inputs, Output, recover } from "@pulumi/pulumi/output.js";
import { CustomResource, type CustomResourceOptions, type ID } from "@pulumi/pulumi/resource.js";

/** What `check` returns; a failure stops the run before anything changes. */
export interface Checked<I> {
  inputs: I;
  failures?: { property: string; reason: string }[];
}

/** What `diff` returns; `replaces` names the inputs that force a new object. */
export interface Difference {
  changes: boolean;
  replaces?: string[];
}

/**
 * The handlers of one resource type, `I` being its checked inputs and `O` its complete outputs.
 * `create`, `update` and `delete` fail alone; a throw from any other stops the whole run.
 */
export interface Handlers<I, O extends I> {
  check(olds: Partial<I>, news: I): Promise<Checked<I>>;
  diff(id: ID, olds: O, news: I): Promise<Difference>;
  create(inputs: I): Promise<{ id: ID; outs: O }>;
  /** An empty `id` says that the object is gone; without `inputs`, those of the state are kept. */
  read(id: ID, state: O): Promise<{ id: ID; props: O; inputs?: I } | { id: "" }>;
  update(id: ID, olds: O, news: I): Promise<{ outs: O }>;
  delete(id: ID, state: O): Promise<void>;
}

/** The files of this folder that export `handlers`. */
export type ProviderFile = "backup" | "container" | "profile" | "project";

/**
 * The source that Pulumi stores for a resource type: at most 300 characters, without a path of
 * the machine, and the same for every resource of the type.
 */
export function providerSource(file: ProviderFile): string {
  return (
    `const h=()=>import(require("url").pathToFileURL("providers/${file}.ts")),p={};` +
    `for(const m of["check","diff","create","read","update","delete"])` +
    `p[m]=async(...a)=>(await h()).handlers[m](...a);exports.handler=()=>p`
  );
}

/** A resource whose lifecycle is in `providers/<file>.ts`. `T` is its type's last part. */
export abstract class DynamicResource extends CustomResource {
  constructor(
    file: ProviderFile,
    type: string,
    name: string,
    inputs: Inputs,
    outputs: string[],
    opts: CustomResourceOptions,
  ) {
    const declared = Object.fromEntries(outputs.map((output) => [output, undefined]));
    super(
      `pulumi-nodejs:dynamic/repoman:${type}`,
      name,
      { ...declared, ...inputs, __provider: providerSource(file) },
      opts,
    );
    // When it fails, all of its outputs reject, also those that nobody reads: one that nobody has
    // caught by then ends the whole program with a stack.
    for (const value of Object.values(this)) {
      if (Output.isInstance(value)) recover(value, () => undefined);
    }
  }
}

/** The inputs of a resource as the program writes them: each may still be an output of another. */
export type Args<I> = { [K in keyof I]: Input<I[K]> };

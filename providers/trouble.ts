// Trouble with one object alone, found on the host before the run: it must not stop the others, so it
// may come out only where a handler's failure is that object's own.

import { Fault } from "../host/fault.js";
import type { Checked } from "./dynamic.ts";

/** What the program passes beside the inputs, and `check` takes away. */
export interface Circumstances {
  /** Whether this is a preview. */
  dryRun: boolean;
  /** The trouble: the object is left as it is, and `up` fails for it. */
  fault?: string;
}

/** `fault` stays in the inputs of a run that has to fail for this object; never in its state. */
export type Troubled<I> = I & { fault?: string };

/**
 * What `check` returns for an object in trouble: as it is, so that a preview plans nothing. In an
 * update the trouble goes along, which makes a change of it.
 *
 * @param olds empty for a new object, which is then as it is wanted
 */
export function leftAsItIs<I extends { name: string }>(
  olds: Partial<I>,
  wanted: I,
  { dryRun, fault }: Required<Circumstances>,
): Checked<Troubled<I>> {
  const kept = olds.name === undefined ? wanted : (olds as I);
  return { inputs: dryRun ? kept : { ...kept, fault } };
}

/** What create and update begin with. @throws {Fault} the object's own trouble */
export function failFor(fault: string | undefined): void {
  if (fault !== undefined) throw new Fault(fault);
}

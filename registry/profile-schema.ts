import * as z from "zod";
import { string } from "./field.ts";
import { deviceName } from "./rules.ts";

/** A profile template, `profiles/*.yml` or `profiles.d/*.yml`; every scalar is read as a string. */
export const profileSchema = z
  .strictObject({
    name: z.string().optional().describe("The name of the file, without its ending."),
    description: z.string().optional().describe("One line about the profile."),
    config: z
      .record(z.string(), z.string(), { error: "must be a table" })
      .optional()
      .describe("Incus config keys, such as `environment.EDITOR`."),
    devices: z
      .record(string(deviceName), z.record(z.string(), z.string()))
      .optional()
      .describe("Incus devices by name, each with its `type` and options."),
    // `incus profile show` prints these two, and its output is where many a file begins.
    used_by: z.unknown().optional().describe("Not used."),
    project: z.unknown().optional().describe("Not used."),
  })
  .describe(
    "A profile. `${HOST_LAN_IP}`, `${USER}` and `${HOME}` are replaced; any other stays as it is.",
  );

export type ProfileFile = z.infer<typeof profileSchema>;

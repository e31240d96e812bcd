// What set-up asks at a terminal: only what it could not find out, and only for a new registry.

import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { expandHome } from "../../host/paths.js";
import { absolutePath } from "../../registry/paths.ts";
import type { Complaint } from "../../registry/rules.ts";
import { image } from "../../registry/rules.ts";
import { ask } from "../output/ask.ts";
import type { Detected } from "./detect.ts";
import type { Settings } from "./plan.ts";

const told = (wrong: Complaint | undefined) => wrong && `It ${wrong.what}: ${wrong.remedy}`;

/** @throws Cancelled */
export async function setupForm({ lan, user }: Detected, offered: Settings): Promise<Settings> {
  const path = (text: string) =>
    told(absolutePath(text)) ??
    (isAbsolute(expandHome(text, user.home)) ? undefined : "It is not an absolute path.");
  const lanIp =
    lan?.address ??
    (await line("The address of this host on its network? (empty for none)", "", (text) =>
      text === "" || isIP(text) ? undefined : "It is no IP address.",
    ));
  const reposRoot = await line("Where are the repositories?", offered.reposRoot, path);
  const backupRoot = await line(
    "Where do their copies go, on a disk of its own? (empty for no backup)",
    offered.backupRoot ?? "",
    (text) => (text === "" ? undefined : path(text)),
  );
  const defaultImage = await line("Image of new containers?", offered.defaultImage, (text) =>
    told(image(text)),
  );
  return { ...offered, lanIp, reposRoot, backupRoot: backupRoot || undefined, defaultImage };
}

function line(
  message: string,
  initialValue: string,
  wrong: (text: string) => string | undefined,
): Promise<string> {
  return ask<string>(async ({ text }, io) => {
    const validate = (typed: string | undefined) => wrong((typed ?? "").trim());
    const answer = await text({ message, initialValue, validate, ...io });
    return typeof answer === "string" ? answer.trim() : answer;
  });
}

import { spawnSync } from "node:child_process";
import { which } from "./incus/process.js";

/**
 * Lets sudo ask for its password before a line that is written over would hide the question; what
 * needs root then finds it answered. Does nothing for root, without a terminal or without sudo.
 *
 * @param {string} purpose what needs it, as the beginning of a sentence
 * @param {import("./progress.js").Progress} progress
 */
export function askForRoot(purpose, progress) {
  const sudo = which("sudo");
  if (process.getuid?.() === 0 || !sudo || !process.stdin.isTTY || !process.stderr.isTTY) return;
  if (spawnSync(sudo, ["-n", "true"], { stdio: "ignore" }).status === 0) return;
  progress.line(`${purpose} needs root; sudo asks for your password.`);
  // Refused or interrupted, the command that needs it says what could not be done.
  spawnSync(sudo, ["-v"], { stdio: "inherit" });
}

import { EXIT, Fault } from "../host/fault.js";
import { which } from "../tools/which.js";

/**
 * The program of that name.
 *
 * @throws Fault (environment) where there is none
 */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string {
  const file = which(name, env.PATH);
  if (file) return file;
  throw new Fault(`there is no ${name} on PATH`, {
    remedy: "`npm start` in repoman's folder installs what is missing.",
    exitCode: EXIT.environment,
  });
}

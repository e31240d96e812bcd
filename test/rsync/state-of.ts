import { execa } from "execa";

/**
 * Everything below a folder, itself included, with size, times and inode, to show that nothing was
 * touched: what changes content, owner, mode, attributes or names changes one of these.
 */
export async function stateOf(folder: string): Promise<string> {
  const { stdout } = await execa("find", [folder, "-printf", "%P %s %T@ %C@ %i\\0"], {
    encoding: "latin1",
  });
  return stdout.split("\0").sort().join("\n");
}

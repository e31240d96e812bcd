import { join } from "node:path";
import { Argument, type Command } from "commander";
import { SHELLS, type Shell } from "../completion/scripts.ts";
import { addExamples } from "../definition.ts";

export function define(command: Command): void {
  command
    .description(
      "Prints the script that lets a shell complete repoman's commands, options, and names of " +
        "projects, profiles and stacks. `npm run install-cli` puts the scripts where shells find them; " +
        "this is for a shell that is set up by hand.",
    )
    .addArgument(new Argument("<shell>", "the shell that is to load it").choices(SHELLS))
    .action(async (shell: Shell) => {
      const [{ completionScript }, { ROOT }] = await Promise.all([
        import("../completion/scripts.ts"),
        import("../../tools/toolchain.js"),
      ]);
      const program = join(process.env.REPOMAN_ROOT || ROOT, "bin/repoman");
      process.stdout.write(completionScript(shell, program));
    });
  addExamples(command, [
    ['eval "$(repoman completion bash)"', "in ~/.bashrc"],
    ['eval "$(repoman completion zsh)"', "in ~/.zshrc, after compinit"],
    ["repoman completion fish | source", "in ~/.config/fish/config.fish"],
  ]);
}

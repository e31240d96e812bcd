import { printable } from "../../../registry/text.ts";
import { colorsFor } from "../../output/say.ts";
import { renderTable } from "../../output/table.ts";
import type { Adoption } from "./plan.ts";

/** Side by side: what is there, and where the registry says it. For people. */
export function showAdoptions(adoptions: readonly Adoption[], incusProject: string): string {
  const { bold, dim } = colorsFor(process.stderr);
  const width = process.stderr.isTTY ? process.stderr.columns : undefined;
  return adoptions
    .map(({ instance, moves, entry, inputs, rows }) => {
      const from = moves
        ? `from the Incus project "${printable(instance.project)}" to "${incusProject}": stopped, moved, started again`
        : `in the Incus project "${incusProject}": it keeps its run state (${instance.status})`;
      const head = `${bold(instance.name)}  ${from}\n`;
      if (!entry)
        return `${head}${dim("  The registry has it from an earlier run, which goes on here.")}\n\n`;
      const [repo] = Object.values(inputs.devices).filter(({ path }) => path === inputs.path);
      const table = renderTable(
        [{ head: "IT HAS" }, { head: "VALUE", least: 16 }, { head: "IN THE REGISTRY", least: 16 }],
        [
          [
            "repository",
            printable(repo?.source ?? ""),
            entry.repo === undefined ? "its name" : "repo",
          ],
          ...rows.map(({ property, value, becomes }) =>
            [property, value, becomes].map((cell) => printable(cell)),
          ),
        ],
        width,
      );
      return `${head}${table}\n${notices(adoptionNotices(inputs))}\n`;
    })
    .join("");
}

function notices(list: readonly string[]): string {
  return list.map((each) => `  ${each}\n`).join("");
}

/** What to know of a container that somebody else set up, before it is taken on. */
export function adoptionNotices({ user, config, devices }: Adoption["inputs"]): string[] {
  const found = ["Its users stay as they are: repoman makes none inside."];
  if (user.uid !== 0 && Object.values(devices).some(({ shift }) => shift === "true")) {
    found.push(
      "A device has shift: root inside can leave files on this host that are root's. The registry keeps it so.",
    );
  }
  if (config["security.privileged"] === "true") {
    found.push("It is privileged: root inside is root outside. The registry keeps it so.");
  }
  return found;
}

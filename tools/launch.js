// What bin/repoman starts when the toolchain is not ready. Kept to what an old Node understands,
// so that it can say that it is too old.

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(
    `repoman: Node.js ${process.versions.node} is too old to set repoman up\n` +
      "  Install Node.js 20 or newer with npm (https://nodejs.org/en/download), then run it again.",
  );
  process.exit(3);
}
const { asCommand, setUp } = await import("./setup.js");
await asCommand(async () => void (await setUp()));

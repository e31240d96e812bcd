import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";

const bytes = (folder: string, name: string) =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);

/** Every kind of entry that a repository can hold, those among them that only root can make or read. */
export async function everything(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  await everythingOfUsers(folder);
  writeFileSync(at("owned"), "owned");
  chownSync(at("owned"), 100_123, 100_456);
  chmodSync(at("owned"), 0o4751);
  writeFileSync(at("secret"), "secret", { mode: 0o000 });
  await Promise.all([
    execa("mknod", [at("null"), "c", "1", "3"]),
    execa("mknod", [at("block"), "b", "7", "200"]),
    execa("setfattr", ["-n", "trusted.note", "-v", "secret", at("deep")]),
  ]);
}

/** Every kind of entry that is in an ordinary user's power. */
export async function everythingOfUsers(folder: string): Promise<void> {
  const at = (...names: string[]) => join(folder, ...names);
  writeFileSync(at("plain"), "plain\n");
  writeFileSync(at("empty"), "");
  mkdirSync(at("deep", "er", "still"), { recursive: true });
  mkdirSync(at("hollow"));
  writeFileSync(at("deep", "er", "file"), "x".repeat(100_000));
  for (const name of [
    "bad\xff\xfe",
    "new\nline",
    "tab\tcr\r",
    "\\#012",
    "-rf",
    "a b'\"$(id)",
    "*",
  ]) {
    writeFileSync(bytes(folder, name), name);
  }
  writeFileSync(at("host:path"), "colon");
  writeFileSync(at("ä".repeat(127)), "long");
  writeFileSync(at("y".repeat(255)), "longest");
  linkSync(at("plain"), at("deep", "same"));
  linkSync(at("plain"), at("same"));
  symlinkSync("/etc/passwd", at("out"));
  symlinkSync("../../..", at("deep", "up"));
  symlinkSync("loop-b", at("loop-a"));
  symlinkSync("loop-a", at("loop-b"));
  symlinkSync("nowhere\xff", at("dangling"));
  const server = createServer().listen(at("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  await new Promise((resolve) => {
    // Closing would remove it.
    renameSync(at("socket"), at("kept-socket"));
    server.close(resolve);
  });
  writeFileSync(at("sparse"), "begin");
  truncateSync(at("sparse"), 8 << 20);
  mkdirSync(at("sticky"), { mode: 0o700 });
  chmodSync(at("sticky"), 0o3775);
  await Promise.all([
    execa("mkfifo", [at("fifo")]),
    execa("setfattr", ["-n", "user.note", "-v", "value", at("plain")]),
    execa("setfacl", ["-m", "u:100789:rw", at("empty")]),
    execa("setfacl", ["-d", "-m", "g:100789:rwx", at("sticky")]),
  ]);
  utimesSync(at("empty"), 0, 0);
  utimesSync(at("hollow"), 1e9, 1_234_567_890.125);
}

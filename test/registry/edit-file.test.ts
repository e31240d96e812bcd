import { spawn } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addProject, removeProject, setProject, setTable } from "../../registry/edit/edits.ts";
import { editRegistry } from "../../registry/edit/file.ts";
import { GOOD } from "./rig.ts";

let root: string;
let file: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "repoman-edit-"));
  file = join(root, "config", "repoman.toml");
  mkdirSync(join(root, "config"));
  writeFileSync(file, GOOD);
  env = { HOME: root };
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const beta = addProject({ name: "beta" });
const text = () => readFileSync(file, "utf8");

describe("an edit of the registry", () => {
  it("is written, with what was there before", async () => {
    const edited = await editRegistry(file, beta, { env });
    expect(edited).toEqual({ file, before: GOOD, after: beta(GOOD), changed: true });
    expect(text()).toBe(beta(GOOD));
    expect(readdirSync(join(root, "config"))).toEqual(["repoman.toml"]);
  });

  it("that changes nothing writes nothing", async () => {
    const { ino } = statSync(file);
    const edited = await editRegistry(file, setProject("alpha", { image: undefined }), { env });
    expect(edited.changed).toBe(false);
    expect(statSync(file).ino).toBe(ino);
  });

  it("keeps the mode, and goes through links that stay links", async () => {
    const dotfiles = join(root, "dotfiles");
    mkdirSync(dotfiles);
    writeFileSync(join(dotfiles, "real.toml"), GOOD, { mode: 0o600 });
    symlinkSync("real.toml", join(dotfiles, "inner.toml"));
    rmSync(file);
    symlinkSync("../dotfiles/inner.toml", file);
    const edited = await editRegistry(file, beta, { env });
    expect(edited.file).toBe(join(dotfiles, "real.toml"));
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(dotfiles, "inner.toml")).isSymbolicLink()).toBe(true);
    expect(text()).toBe(beta(GOOD));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("makes a file only where it is told to, through a link as well", async () => {
    rmSync(file);
    await expect(editRegistry(file, beta, { env })).rejects.toMatchObject({ exitCode: 3 });
    symlinkSync("../dotfiles/new.toml", file);
    await editRegistry(file, () => GOOD, { env, create: true, seen: "" });
    expect(readFileSync(join(root, "dotfiles", "new.toml"), "utf8")).toBe(GOOD);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
  });

  it("is refused where the file is not as it was seen", async () => {
    writeFileSync(file, `${GOOD}# mine\n`);
    const edit = editRegistry(file, beta, { env, seen: GOOD });
    await expect(edit).rejects.toMatchObject({ exitCode: 4 });
    await expect(edit).rejects.toThrow("changed since it was read");
    expect(text()).toBe(`${GOOD}# mine\n`);
  });

  it("is refused where an editor wrote the file at the last moment", async () => {
    const edit = (before: string) => {
      writeFileSync(file, `${GOOD}# mine\n`);
      return beta(before);
    };
    await expect(editRegistry(file, edit, { env })).rejects.toMatchObject({ exitCode: 4 });
    expect(text()).toBe(`${GOOD}# mine\n`);
  });

  it("that would leave a problem is refused, with its place", async () => {
    const edit = editRegistry(file, setProject("alpha", { image: "-x" }), { env });
    await expect(edit).rejects.toThrow(`${file}:10:9: project "alpha": image "-x" begins with`);
    await expect(edit).rejects.toMatchObject({ exitCode: 1 });
    const outside = addProject({ name: "beta", repo: "../../elsewhere" });
    await expect(editRegistry(file, outside, { env })).rejects.toThrow("outside repos_root");
    const broken = editRegistry(file, (before) => `${before}]`, { env });
    await expect(broken).rejects.toThrow("not TOML");
    expect(text()).toBe(GOOD);
  });

  it("is made in spite of problems that were there before, and may be the one that mends them", async () => {
    const bad = `${GOOD}image = "-x"\ncolour = 1\n`;
    writeFileSync(file, bad);
    await editRegistry(file, beta, { env });
    expect(text()).toBe(beta(bad));
    await editRegistry(file, setProject("alpha", { image: undefined }), { env });
    expect(text()).not.toContain("-x");
    // Another of the same kind is one more.
    const more = setTable("defaults", { colour: 1 });
    await expect(editRegistry(file, more, { env })).rejects.toThrow("1 problem after this");
  });

  it("does not mind an override that is left behind", async () => {
    mkdirSync(join(root, "config", "repos.d"));
    writeFileSync(join(root, "config", "repos.d", "alpha.toml"), "restart = true\n");
    await editRegistry(file, removeProject("alpha"), { env });
    expect(text()).not.toContain("alpha");
  });

  it("of a file that cannot be read as TOML says where it is broken", async () => {
    writeFileSync(file, `${GOOD}x = \n`);
    await expect(editRegistry(file, beta, { env })).rejects.toThrow("not TOML at line 10");
  });

  it("where the registry is a folder, or a link to itself, says so", async () => {
    rmSync(file);
    mkdirSync(file);
    await expect(editRegistry(file, beta, { env })).rejects.toThrow("is a directory");
    rmSync(file, { recursive: true });
    symlinkSync("repoman.toml", file);
    await expect(editRegistry(file, beta, { env })).rejects.toThrow("is a link to itself");
  });

  it("and others of other processes at the same time are all made", async () => {
    const edit = new URL("../../registry/edit/", import.meta.url).href;
    const script = `
      const { editRegistry } = await import(${JSON.stringify(`${edit}file.ts`)});
      const { addProject } = await import(${JSON.stringify(`${edit}edits.ts`)});
      for (let n = 0; n < 5; n++) {
        const name = process.argv[1] + "-" + n;
        await editRegistry(${JSON.stringify(file)}, addProject({ name }), { env: process.env });
      }`;
    const codes = ["a", "b", "c"].map(
      (who) =>
        new Promise((resolve) => {
          const args = ["--input-type=module", "-e", script, who];
          spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: "inherit" }).on(
            "exit",
            resolve,
          );
        }),
    );
    expect(await Promise.all(codes)).toEqual([0, 0, 0]);
    const names = [...text().matchAll(/^name = "(.*)"/gm)].map(([, name]) => name);
    const expected = ["a", "b", "c"].flatMap((who) => [0, 1, 2, 3, 4].map((n) => `${who}-${n}`));
    expect(names.toSorted()).toEqual(["alpha", ...expected].toSorted());
    expect(existsSync(join(root, ".local/state/repoman/registry.lock"))).toBe(true);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  Lines,
  nameBytes,
  noCounts,
  parseItem,
  parseProgress,
  readStat,
} from "../../rsync/output.ts";

test("an item is read with its size and its name", () => {
  expect(parseItem("@ send >f+++++++++ 12 a b/ c")).toEqual({
    change: ">f+++++++++",
    deleted: false,
    length: 12,
    size: 12,
    name: "a b/ c",
  });
  expect(parseItem("@ del. *deleting   0 gone/")).toMatchObject({ deleted: true, name: "gone/" });
  expect(parseItem("@ send .d..t...... 4096 x/")).toMatchObject({ size: 0 });
  expect(parseItem("cannot delete non-empty directory: @ del. *deleting   0 x")).toBeUndefined();
});

test("a name is read back byte for byte", () => {
  expect(nameBytes("bad\\#377")).toEqual(Buffer.from([0x62, 0x61, 0x64, 0xff]));
  expect(nameBytes("lit\\#134#012").toString()).toBe("lit\\#012");
  expect(nameBytes("new\\#012line").toString()).toBe("new\nline");
});

test("progress and statistics are read with and without thousands separators", () => {
  expect(parseProgress("     1234567  12%    1.50MB/s    0:00:01 (xfr#1, to-chk=0/1)")).toEqual({
    bytes: 1234567,
    rate: 1.5 * 2 ** 20,
  });
  expect(parseProgress("1,234  12%  0.00kB/s    0:00:00 ")).toMatchObject({ bytes: 1234 });
  expect(parseProgress("total size is 20  speedup is 0.07")).toBeUndefined();
  const counts = noCounts();
  expect(readStat("Number of files: 1,210 (reg: 5, dir: 3)", counts)).toBe(true);
  expect(readStat("Total transferred file size: 6 bytes", counts)).toBe(true);
  expect(readStat("Number of filez: 9", counts)).toBe(false);
  expect(counts).toMatchObject({ files: 1210, copiedBytes: 6 });
});

test("lines are the same however the stream is cut", () => {
  const line = fc.string().map((text) => text.replace(/[^ -~]/g, "_"));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(50)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const seen: string[] = [];
      const reader = new Lines((text) => seen.push(text));
      let at = 0;
      for (const cut of cuts) {
        reader.push(bytes.subarray(at, at + cut));
        at += cut;
      }
      reader.push(bytes.subarray(at));
      reader.end();
      expect(seen).toEqual(lines.filter(Boolean));
    }),
  );
});

test("a line without an end does not fill the memory", () => {
  const seen: string[] = [];
  const reader = new Lines((text) => seen.push(text), 100);
  for (let i = 0; i < 1000; i++) reader.push(Buffer.alloc(1000, "x"));
  reader.end();
  expect(seen.join("").length).toBeLessThanOrEqual(100);
});

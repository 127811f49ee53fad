// Copies of synthetic DICOM files (explicit little endian) with other identifiers, dates and names.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files below a folder whose names end in `.dcm`, as texts of one byte a letter. */
export function readExam(folder) {
  const names = readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith(".dcm"));
  return names.sort().map((name) => ({ name: name.replaceAll("/", "-"), bytes: readFileSync(join(folder, name), "latin1") }));
}

/** Other identifiers of the same length: digits are shifted. */
export const renumbered = (bytes, by) =>
  bytes.replace(/2\.25\.(\d)(\d{2})/g, (_, first, next) => `2.25.${first}${String((Number(next) + by) % 100).padStart(2, "0")}`);

/** With a study date in the place of none. */
export const dated = (bytes, date) => bytes.replace("\x08\x00\x20\x00DA\x00\x00", `\x08\x00\x20\x00DA\x08\x00${date}`);

/** With another text in an attribute's place, of the same length. */
export function replaced(bytes, from, to) {
  if (to.length > from.length) throw new Error("the text is too long");
  return bytes.replaceAll(from, to.padEnd(from.length, " "));
}

/** Writes files into a folder of their own and hands over their paths, which are gone afterwards. */
export async function written(files, action) {
  const folder = mkdtempSync(join(tmpdir(), "lobule-exams-"));
  try {
    const paths = files.map(({ name, bytes }) => join(folder, name));
    files.forEach(({ bytes }, i) => writeFileSync(paths[i], bytes, "latin1"));
    await action(paths);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { heatColor, heatCover } from "../src/study/colors";
import { parcelsOf } from "../src/parcels";
import { dateWords, modalityWords, nameWords, scoreWords } from "../src/words";

test("the heat map's colors get brighter all the way and hold at the ends", () => {
  const luma = ([r, g, b]: number[]) => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  const steps = Array.from({ length: 51 }, (_, i) => luma(heatColor(i / 50)));
  assert.ok(steps.every((value, i) => i === 0 || value > steps[i - 1]!));
  assert.deepEqual(heatColor(Number.NaN), heatColor(-3));
  assert.deepEqual(heatColor(7), heatColor(1));
  assert.deepEqual([heatCover(0.05), heatCover(0.5), heatCover(1)], [0, 1, 1]);
});

test("files are sent in parcels of bounded number and size, none left out", () => {
  const files = Array.from({ length: 45 }, () => ({ size: 5 << 20 })).concat({ size: 900 << 20 });
  const parcels = parcelsOf(files);
  assert.equal(parcels.flat().length, files.length);
  for (const parcel of parcels) {
    const bytes = parcel.reduce((sum, file) => sum + file.size, 0);
    assert.ok(parcel.length <= 20 && (bytes <= 64 << 20 || parcel.length === 1));
  }
  assert.deepEqual(parcelsOf([]), []);
});

test("words", () => {
  assert.equal(scoreWords(9.94), "9.9");
  assert.equal(scoreWords(9.96), "10");
  assert.equal(dateWords("20230311"), "2023-03-11");
  assert.equal(dateWords("unknown"), "unknown");
  assert.equal(nameWords("Doe^Jane^^^"), "Doe, Jane");
  assert.equal(modalityWords("MG,SC,SR"), "Mammography");
  assert.equal(modalityWords("CR"), "CR");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AssessedImage, Breast } from "../src/assessment";
import { AS_STORED } from "../src/study/lay";
import { byAttention, commonHeight, hang, hungOf, middleOf, shotsOf as shotsOfExams } from "../src/study/hanging";

function image(view: string | null, more: Partial<AssessedImage> = {}): AssessedImage {
  const mammogram = view === null ? null : { view, chest_side: "left", upper_side: "top", breast: [], density: null };
  return { file: `${view}.dcm`, frame: 0, rows: 100, cols: 60, rank: 1, mammogram, ...more } as AssessedImage;
}

const breast = (side: string, score: number, ...images: AssessedImage[]) =>
  ({ breast: side, score_of_100: score, images }) as unknown as Breast;
const shotsOf = (...breasts: Breast[]) => shotsOfExams([{ exam: "e", modality: "mammography", breasts, warnings: [] }]);
const WINDOW = { row: 10, col: 0, rows: 80, cols: 40 };
const hangable = (spacing: [number, number] | null) => ({ rows: 100, cols: 60, window: WINDOW, turn: AS_STORED, spacing });

test("views hang in their places, repeated and further ones follow, missing ones leave theirs empty", () => {
  const all = ["LMLO", "LCC", "LML", "RCC", "RCC", null].map((letters, number) => ({ letters, number }));
  const { standard, further } = hang(all);
  assert.deepEqual(standard.map((one) => one && one.number), [3, 1, null, 0]);
  assert.deepEqual(further.map((one) => one.number), [2, 4, 5]);
});

test("sonograms go by rank, at equal rank the breast with the higher score first", () => {
  const left = breast("left", 80, image(null, { rank: 2 }), image(null, { rank: 1 }));
  const right = breast("right", 90, image(null, { rank: 1 }));
  const order = byAttention(shotsOf(left, right)).map((shot) => `${shot.breast.breast}${shot.image.rank}`);
  assert.deepEqual(order, ["right1", "left1", "left2"]);
});

test("all images have one scale in millimeters, whatever their pixels", () => {
  const hungs = [hangable([0.2, 0.2]), hangable([0.1, 0.1])].map((one) => hungOf(one, true));
  const height = commonHeight(hungs, 400, 400);
  assert.ok(Math.abs(height - 1.03 * 80 * 0.2) < 1e-9, `${height}`);
  // A narrow view is bound by the width of the widest breast.
  assert.ok(commonHeight(hungs, 100, 400) > height);
});

test("where millimeters are not known breasts are equally high", () => {
  const hung = hungOf(hangable(null), false);
  assert.equal(hung.window.rows * hung.unit[0], 1000);
});

test("the chest wall stands at the inner edge of the view", () => {
  const hung = hungOf(hangable([0.1, 0.1]), true);
  const [width, height, tall] = [300, 400, 10];
  const halfWidth = (tall * width) / height / 2 / 0.1;
  assert.ok(Math.abs(middleOf(hung, "left", tall, width, height).col - halfWidth - 0) < 1e-9);
  assert.ok(Math.abs(middleOf(hung, "right", tall, width, height).col + halfWidth - 40) < 1e-9);
  assert.equal(middleOf(hung, "left", tall, width, height).row, 50);
});

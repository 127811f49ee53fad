import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageSide } from "../src/assessment";
import { AS_STORED, apply, isMirrored, lay, layOf, shownBox, shownFromStored, shownSize } from "../src/study/lay";

const SIDES: ImageSide[] = ["left", "right", "top", "bottom"];
const isAcross = (side: ImageSide) => side === "left" || side === "right";
const TURNS = SIDES.flatMap((chest) =>
  SIDES.filter((upper) => isAcross(upper) !== isAcross(chest)).flatMap((upper) =>
    (["left", "right"] as const).map((at) => ({ chest, upper, at, turn: layOf({ chest_side: chest, upper_side: upper }, at) })),
  ),
);

/** The middle of an edge of an image. */
function middle(side: ImageSide, rows: number, cols: number): [number, number] {
  const [row, col] = [(rows - 1) / 2, (cols - 1) / 2];
  return { left: [row, 0], right: [row, cols - 1], top: [0, col], bottom: [rows - 1, col] }[side] as [number, number];
}

test("chest wall and upper end come to where they hang, from every way an image may lie", () => {
  const [rows, cols] = [40, 30];
  for (const { chest, upper, at, turn } of TURNS) {
    const map = shownFromStored(turn, rows, cols);
    const [shownRows, shownCols] = shownSize(turn, rows, cols);
    assert.deepEqual(apply(map, middle(chest, rows, cols)), middle(at, shownRows, shownCols), `${chest} ${upper} ${at}`);
    assert.deepEqual(apply(map, middle(upper, rows, cols)), middle("top", shownRows, shownCols), `${chest} ${upper} ${at}`);
  }
});

test("pixels go the way of points", () => {
  const [rows, cols] = [3, 5];
  const pixels = Uint16Array.from({ length: rows * cols }, (_, i) => 100 + i);
  for (const { turn } of [...TURNS, { turn: AS_STORED }]) {
    const shown = lay(pixels, rows, cols, turn);
    const [, shownCols] = shownSize(turn, rows, cols);
    const map = shownFromStored(turn, rows, cols);
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) {
        const [r, c] = apply(map, [row, col]);
        assert.equal(shown[r * shownCols + c], pixels[row * cols + col]);
      }
    }
  }
});

test("colors of a pixel stay together", () => {
  const turn = layOf({ chest_side: "right", upper_side: "top" }, "left");
  assert.deepEqual([...lay(Uint8Array.of(1, 2, 3, 4, 5, 6), 1, 2, turn, 3)], [4, 5, 6, 1, 2, 3]);
});

test("a mirror is told from a turn", () => {
  const of = (chest: ImageSide, upper: ImageSide, at: "left" | "right") => isMirrored(layOf({ chest_side: chest, upper_side: upper }, at));
  assert.equal(of("left", "top", "left"), false);
  assert.equal(of("right", "top", "left"), true);
  assert.equal(of("right", "bottom", "left"), false);
  assert.equal(of("top", "left", "left"), true);
  assert.equal(of("top", "right", "left"), false);
});

test("an orientation that is not stated leaves the image as it lies, but for the chest wall", () => {
  assert.deepEqual(layOf({ chest_side: "left", upper_side: null }, "left"), AS_STORED);
  assert.deepEqual(layOf({ chest_side: "left", upper_side: null }, "right"), { ...AS_STORED, flipCols: true });
});

test("a box is turned with its image", () => {
  const turn = layOf({ chest_side: "right", upper_side: "top" }, "left");
  assert.deepEqual(shownBox(turn, 10, 20, { row: 1, col: 15, rows: 4, cols: 5 }), { row: 1, col: 0, rows: 4, cols: 5 });
});

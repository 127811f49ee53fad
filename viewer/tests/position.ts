import assert from "node:assert/strict";
import { test } from "node:test";
import { positionOf } from "../src/study/position";

const attributes = (orientation: string[], more = {}) => ({ "00200020": { Value: orientation }, ...more });

test("Patient Orientation says where chest wall and upper end are", () => {
  const cases: [string[], string, string, string | null, string | null][] = [
    [["A", "R"], "L", "CC", "left", "top"],
    [["A", "L"], "L", "CC", "left", "bottom"],
    [["P", "L"], "R", "CC", "right", "top"],
    [["P", "R"], "R", "CC", "right", "bottom"],
    [["A", "FR"], "L", "MLO", "left", "top"],
    [["P", "HL"], "R", "MLO", "right", "bottom"],
    [["F", "A"], "L", "MLO", "top", "left"],
    [["A", "R"], "", "CC", "left", null],
    [["A", "A"], "L", "CC", null, null],
    [["X", "R"], "L", "CC", null, null],
    [["A"], "L", "CC", null, null],
  ];
  for (const [orientation, laterality, view, chest, upper] of cases) {
    const found = positionOf(attributes(orientation), laterality, view);
    assert.equal(found?.chest_side ?? null, chest, orientation.join());
    assert.equal(found?.upper_side ?? null, upper, orientation.join());
  }
});

test("the size of a pixel: calibrated, at the detector without its magnification, on film", () => {
  const of = (more: object) => positionOf(attributes(["A", "R"], more), "L", "CC")?.spacing;
  assert.deepEqual(of({ "00280030": { Value: ["0.2", "0.1"] }, "00280A02": { Value: ["GEOMETRY"] }, "00181164": { Value: [1, 1] } }), [0.2, 0.1]);
  assert.deepEqual(of({ "00181164": { Value: [0.1, 0.2] }, "00181114": { Value: [2] } }), [0.05, 0.1]);
  assert.deepEqual(of({ "00181164": { Value: [0.1, 0.2] }, "00181114": { Value: [40] } }), [0.1, 0.2]);
  assert.deepEqual(of({ "00182010": { Value: [0.05, 0.05] } }), [0.05, 0.05]);
  assert.equal(of({}), null);
  assert.equal(of({ "00280030": { Value: ["x", 1] } }), null);
});

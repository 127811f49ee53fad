import assert from "node:assert/strict";
import { test } from "node:test";
import { fullRange, throughSigmoid, windowOver } from "../src/study/voi";

test("the sigmoid is half way at its center and rises", () => {
  const out = [...throughSigmoid(Uint16Array.of(0, 1000, 2000), 1000, 500, 1, 0)];
  assert.equal(out[1], Math.round(4095 / 2));
  assert.ok(out[0]! < 10 && out[2]! > 4085, String(out));
});

test("a window over all values shows the lowest black and the highest white", () => {
  // PS3.3 C.11.2.1.2: black up to c − 0.5 − (w − 1) / 2, white from c − 0.5 + (w − 1) / 2.
  for (const { center, width } of [windowOver(10, 20, ""), fullRange(Uint8Array.of(20, 10, 15), 1, 0)]) {
    assert.equal(center - 0.5 - (width - 1) / 2, 10);
    assert.equal(center - 0.5 + (width - 1) / 2, 20);
  }
});

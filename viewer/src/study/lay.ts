// How a stored image is turned for display. Owns: from which edges of the image a mammogram is seen, and the way of
// points and pixels through that turn. A point (row, col) of an image counts from the center of its first pixel.

import type { Affine, ImageSide, Mammogram, PixelBox, Point } from "../assessment";

/** Rows of the shown image are columns of the stored one where it is transposed; flips are of the shown image. */
export interface Lay {
  transposed: boolean;
  flipRows: boolean;
  flipCols: boolean;
}

export const AS_STORED: Lay = { transposed: false, flipRows: false, flipCols: false };

const OPPOSITE: Record<ImageSide, ImageSide> = { left: "right", right: "left", top: "bottom", bottom: "top" };
const isAcross = (side: ImageSide) => side === "left" || side === "right";

/** The turn that brings the chest wall to that side and the head (from above: the outer side) up. */
export function layOf(facts: Pick<Mammogram, "chest_side" | "upper_side">, chestAt: "left" | "right"): Lay {
  const chest = facts.chest_side;
  const upper = facts.upper_side ?? (isAcross(chest) ? "top" : "left");
  if (isAcross(upper) === isAcross(chest)) return AS_STORED;
  const left = chestAt === "left" ? chest : OPPOSITE[chest];
  return isAcross(upper)
    ? { transposed: true, flipRows: upper === "right", flipCols: left === "bottom" }
    : { transposed: false, flipRows: upper === "bottom", flipCols: left === "right" };
}

/** Whether left and right are exchanged, as in a mirror. */
export const isMirrored = (lay: Lay) => (lay.flipRows !== lay.flipCols) !== lay.transposed;

/** The size of the shown image. */
export const shownSize = (lay: Lay, rows: number, cols: number): [rows: number, cols: number] =>
  lay.transposed ? [cols, rows] : [rows, cols];

/** Where a point of the stored image is shown. */
export function shownFromStored(lay: Lay, rows: number, cols: number): Affine {
  const [shownRows, shownCols] = shownSize(lay, rows, cols);
  const along = (fromRow: boolean, flip: boolean, length: number): [number, number, number] => {
    const sign = flip ? -1 : 1;
    return [fromRow ? sign : 0, fromRow ? 0 : sign, flip ? length - 1 : 0];
  };
  return [along(!lay.transposed, lay.flipRows, shownRows), along(lay.transposed, lay.flipCols, shownCols)];
}

export function apply(map: Affine, [row, col]: Point): Point {
  return [map[0][0] * row + map[0][1] * col + map[0][2], map[1][0] * row + map[1][1] * col + map[1][2]];
}

/** First `second`, then `first`. */
export function compose(first: Affine, second: Affine): Affine {
  const row = (a: [number, number, number]): [number, number, number] => [
    a[0] * second[0][0] + a[1] * second[1][0],
    a[0] * second[0][1] + a[1] * second[1][1],
    a[0] * second[0][2] + a[1] * second[1][2] + a[2],
  ];
  return [row(first[0]), row(first[1])];
}

/** A box of the stored image in the shown one. */
export function shownBox(lay: Lay, rows: number, cols: number, box: PixelBox): PixelBox {
  const map = shownFromStored(lay, rows, cols);
  const [r0, c0] = apply(map, [box.row, box.col]);
  const [r1, c1] = apply(map, [box.row + box.rows - 1, box.col + box.cols - 1]);
  const [row, col] = [Math.min(r0, r1), Math.min(c0, c1)];
  return { row, col, rows: Math.abs(r1 - r0) + 1, cols: Math.abs(c1 - c0) + 1 };
}

/** The pixels as they are shown; `samples` values belong to a pixel. */
export function lay<T extends Uint8Array | Uint16Array | Int16Array | Uint8ClampedArray>(
  pixels: T,
  rows: number,
  cols: number,
  turn: Lay,
  samples = 1,
): T {
  if (!turn.transposed && !turn.flipRows && !turn.flipCols) return pixels;
  const [shownRows, shownCols] = shownSize(turn, rows, cols);
  const out = new (pixels.constructor as new (length: number) => T)(pixels.length);
  const [rowStep, colStep] = turn.transposed ? [1, cols] : [cols, 1];
  for (let row = 0; row < shownRows; row++) {
    const alongRow = (turn.flipRows ? shownRows - 1 - row : row) * rowStep;
    let at = row * shownCols * samples;
    for (let col = 0; col < shownCols; col++) {
      const from = (alongRow + (turn.flipCols ? shownCols - 1 - col : col) * colStep) * samples;
      for (let i = 0; i < samples; i++) out[at++] = pixels[from + i] as number;
    }
  }
  return out;
}

// Which image hangs where, and how large. Owns: the order of views, the common scale of a mammography exam.
//
// Mammograms are read as two rows of two: RCC | LCC above RMLO | LMLO, the patient's right on the reader's left, chest
// walls together in the middle. Beside an earlier exam each row holds all four, the present exam above.

import type { AssessedImage, Breast, Exam, PixelBox } from "../assessment";
import { type Lay, shownBox, shownSize } from "./lay";

export const SCREENING = ["RCC", "LCC", "RMLO", "LMLO"] as const;
/** Height of a breast where millimeters are not known. */
const EQUAL_HEIGHT = 1000;
/** Free space around the largest breast. */
const MARGIN = 1.03;

/** An image of the exam, and where it stands in the document. */
export interface Shot {
  modality: Exam["modality"];
  breast: Breast;
  image: AssessedImage;
  imageIndex: number;
}

export const shotsOf = (exams: Exam[]): Shot[] =>
  exams.flatMap(({ modality, breasts }) =>
    breasts.flatMap((breast) => breast.images.map((image, imageIndex) => ({ modality, breast, image, imageIndex }))),
  );

/** Left breasts and those of an unknown side have the chest wall at the left. */
export const chestAt = (breast: string): "left" | "right" => (breast === "right" || breast === "R" ? "right" : "left");

/** A place of the standard hanging takes the first image of its view; the rest follow in their order. */
export function hang<T extends { letters: string | null }>(all: T[]): { standard: (T | null)[]; further: T[] } {
  const left = [...all];
  const standard = SCREENING.map((place) => {
    const at = left.findIndex((one) => one.letters === place);
    return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
  });
  return { standard, further: left };
}

/** Images of ultrasound by their share in the breast's score, the breasts in turn by their score. */
export function byAttention(shots: Shot[]): Shot[] {
  return [...shots].sort(
    (a, b) => a.image.rank - b.image.rank || b.breast.score_of_100 - a.breast.score_of_100 || a.imageIndex - b.imageIndex,
  );
}

/** What has to be known of an image that is hung: its size, the part that counts, its turn, millimeters per row and column. */
export interface Hangable {
  rows: number;
  cols: number;
  window: PixelBox;
  turn: Lay;
  spacing: [number, number] | null;
}

/** How an image hangs: its window in the shown image, and the size of a shown pixel in units that all images share. */
export interface Hung {
  window: PixelBox;
  unit: [row: number, col: number];
}

export function hungOf({ rows, cols, window, turn, spacing }: Hangable, inMillimeters: boolean): Hung {
  const shown = shownBox(turn, rows, cols, window);
  if (inMillimeters && spacing) return { window: shown, unit: shownSize(turn, ...spacing) };
  const factor = EQUAL_HEIGHT / Math.max(1, shown.rows);
  return { window: shown, unit: [factor, factor] };
}

/** The height, in units, that every viewport of this shape shows so that all images fit in at one scale. */
export function commonHeight(hung: Hung[], width: number, height: number): number {
  const tallest = Math.max(1e-6, ...hung.map((one) => one.window.rows * one.unit[0]));
  const widest = Math.max(1e-6, ...hung.map((one) => one.window.cols * one.unit[1]));
  return MARGIN * Math.max(tallest, (widest * height) / Math.max(1, width));
}

/** The point of the shown image, from its outer corner, that stands in the middle of the viewport. */
export function middleOf(hung: Hung, chest: "left" | "right", shownHeight: number, width: number, height: number) {
  const halfWidth = (shownHeight * width) / Math.max(1, height) / 2 / hung.unit[1];
  const { window } = hung;
  const col = chest === "left" ? window.col + halfWidth : window.col + window.cols - halfWidth;
  return { row: window.row + window.rows / 2, col };
}

// How a mammogram that no model has read lies, and how large its pixels are: from its own attributes, as crate `dicomio`
// reads them (`mammogram/position.rs`).

import type { ImageSide } from "../assessment";
import type { Attributes } from "../dicomweb";

export interface Position {
  chest_side: ImageSide;
  upper_side: ImageSide | null;
  spacing: [number, number] | null;
}

const OPPOSITE: Record<ImageSide, ImageSide> = { left: "right", right: "left", top: "bottom", bottom: "top" };

/** Nothing where Patient Orientation does not say where the chest wall is. */
export function positionOf(from: Attributes, laterality: string | null, view: string | null): Position | null {
  const [across, down] = (from["00200020"]?.Value ?? []).map(String);
  if (!across || !down || !/^[APHFLR]+$/.test(across + down)) return null;
  const [byRow, byCol] = [startsAtChest(across, "left"), startsAtChest(down, "top")];
  if ((byRow === null) === (byCol === null)) return null;
  const chest_side = (byRow ?? byCol) as ImageSide;
  const [other, start]: [string, ImageSide] = byRow ? [down, "top"] : [across, "left"];
  const upper_side = upper(other, start, laterality, /CC/.test(view ?? ""));
  return { chest_side, upper_side, spacing: spacingOf(from) };
}

/** For a direction that begins at an edge. */
function startsAtChest(direction: string, start: ImageSide): ImageSide | null {
  if (direction[0] === "A") return start;
  return direction[0] === "P" ? OPPOSITE[start] : null;
}

/** Where the head, or in views from above the outer side, is. */
function upper(direction: string, start: ImageSide, laterality: string | null, fromAbove: boolean): ImageSide | null {
  const towards = [...direction].find((letter) => (fromAbove ? "LR" : "HF").includes(letter));
  if (!towards) return null;
  if (!fromAbove) return towards === "F" ? start : OPPOSITE[start];
  if (laterality !== "L" && laterality !== "R") return null;
  return towards === laterality ? OPPOSITE[start] : start;
}

/** Row first, as DICOM writes spacings; what lies on the detector is larger than in the breast by the stated factor. */
function spacingOf(from: Attributes): [number, number] | null {
  const pair = (tag: string): [number, number] | null => {
    const [row, col] = (from[tag]?.Value ?? []).map(Number);
    return row && col && row > 0 && col > 0 ? [row, col] : null;
  };
  const plain = pair("00280030");
  if (plain && from["00280A02"]) return plain;
  const atDetector = pair("00181164");
  const stated = Number(from["00181114"]?.Value?.[0] ?? 1);
  const factor = stated >= 1 && stated <= 4 ? stated : 1;
  if (atDetector) return [atDetector[0] / factor, atDetector[1] / factor];
  return pair("00182010") ?? plain;
}

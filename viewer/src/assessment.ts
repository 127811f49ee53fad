// The document `assessment.json` (version 1.2), as far as the page shows it. Coordinates are (row, col) in pixels of the
// stored image; pixel (0, 0) is the center of the top-left pixel.

export type Point = [row: number, col: number];
/** [[rr, rc, r0], [cr, cc, c0]]: row' = rr·row + rc·col + r0. */
export type Affine = [[number, number, number], [number, number, number]];
export type ImageSide = "left" | "right" | "top" | "bottom";

export interface PixelBox {
  row: number;
  col: number;
  rows: number;
  cols: number;
}

export interface Scores {
  benign: number;
  malignant: number;
}

export interface Finding {
  class: "benign" | "malignant";
  score: number;
  bounds: PixelBox;
  outline: Point[];
  longest_axis_mm: number | null;
  lesion: { number: number; score_of_100: number } | null;
}

export interface Saliency {
  rows: number;
  cols: number;
  malignant: number[];
  image_from_grid: Affine;
}

export interface Mammogram {
  view: string | null;
  chest_side: ImageSide;
  upper_side: ImageSide | null;
  breast: Point[];
  density: number | null;
}

export interface AssessedImage {
  file: string;
  frame: number;
  rows: number;
  cols: number;
  spacing_mm: [number, number] | null;
  crop: { window: PixelBox };
  attention: number;
  rank: number;
  scores: Scores;
  probabilities: Scores | null;
  findings: Finding[];
  saliency: Saliency;
  mammogram: Mammogram | null;
  heat_map: string | null;
  warnings: Warning[];
}

export interface Warning {
  kind: string;
  message: string;
}

export interface Breast {
  breast: string;
  score_of_100: number;
  scores: Scores;
  probabilities: Scores | null;
  flagged: boolean;
  missing_views: string[];
  images: AssessedImage[];
}

export interface Exam {
  exam: string;
  modality: "ultrasound" | "mammography";
  breasts: Breast[];
  warnings: Warning[];
}

export interface ModelRun {
  model: {
    name: string;
    version: string;
    modality: string;
    digest: string;
    engine: string;
    members: number;
    status: "research" | "demonstration";
    research_use: string;
  };
  calibration: { calibrated: boolean; calibrated_at_prevalence: number | null; prevalence: number | null };
  operating_point: { name: string; threshold: number; chosen_by: string } | null;
}

export interface Assessment extends ModelRun {
  notice: string;
  program: { name: string; version: string };
  further_models: ModelRun[];
  exams: Exam[];
  skipped: { file: string; reason: string }[];
}

/** The models that read the exams of this document. */
export function modelsOf(assessment: Assessment): ModelRun[] {
  const used = new Set<string>(assessment.exams.map((exam) => exam.modality));
  const all = [assessment as ModelRun, ...assessment.further_models];
  const reading = all.filter((run) => used.has(run.model.modality));
  return reading.length ? reading : all;
}

/** Whether an image of the exam shows no patient. */
export function isSynthetic(assessment: Assessment): boolean {
  const kinds = assessment.exams.flatMap((exam) => [
    ...exam.warnings,
    ...exam.breasts.flatMap((breast) => breast.images.flatMap((image) => image.warnings)),
  ]);
  return kinds.some((warning) => warning.kind === "synthetic");
}

/** How a finding is named where it is reviewed; the modality tells exams of one study apart. */
export const findingId = (modality: string, breast: string, image: number, finding: number) =>
  `${modality}/${breast}/${image}/${finding}`;

export function sideLetter(breast: string): string {
  if (breast === "right") return "R";
  return breast === "left" ? "L" : "";
}

/** `RCC`, or what is known of it. */
export function lettersOf(breast: string, image: AssessedImage): string {
  const side = sideLetter(breast);
  const view = image.mammogram?.view ?? "view not stated";
  return side ? `${side}${image.mammogram?.view ? "" : " "}${view}` : `side not stated, ${view}`;
}

// Everything the page shows of one study, and its earlier ones. Owns: what is asked for, and which picture belongs to
// which result.

import * as api from "../api";
import {
  type AssessedImage,
  type Assessment,
  type Breast,
  findingId,
  isSynthetic,
  lettersOf,
  sideLetter,
} from "../assessment";
import { type Identity, describedBy, earlier, identities, text } from "../dicomweb";
import { scoreWords } from "../words";
import { type Hangable, type Shot, chestAt, shotsOf } from "./hanging";
import { AS_STORED, layOf } from "./lay";
import { type Mark, tagOf } from "./overlay";
import { type Position, positionOf } from "./position";

/** Modalities whose pictures are looked at; results are shown by the page itself. */
const PICTURES = new Set(["MG", "US"]);
/** Earlier studies that are looked up. */
const MOST_PRIORS = 3;

export interface Exam {
  study: api.OneStudy;
  assessment: Assessment | null;
  instances: api.Instance[];
  reviews: Map<string, api.Review>;
  /** Whose it is, where that may be known. */
  identity: Identity | null;
  /** How mammograms lie that no model has read, by instance. */
  positions: Map<string, Position>;
  synthetic: boolean;
}

/** A picture of the page: an instance, and what the model says of it. */
export interface Picture extends Hangable {
  exam: Exam;
  instance: api.Instance;
  /** The frame that is shown first. */
  frame: number;
  title: string;
  /** `RCC`, where side, view and the way it lies are known. */
  letters: string | null;
  chest: "left" | "right";
  shot: Shot | null;
  /** Date of an earlier exam. */
  earlier: string;
}

/** The reviews that stand, by finding. */
export const byFinding = (reviews: api.Review[]) =>
  new Map(reviews.filter((review) => review.decision).map((review) => [review.finding, review]));

export async function loadExam(uid: string, signal: AbortSignal): Promise<Exam> {
  // No result yet, or, for a researcher, no picture.
  const missing = <T>(instead: T) => (error: unknown) => {
    if (error instanceof api.Refused && (error.status === 404 || error.status === 403)) return instead;
    throw error;
  };
  const [study, assessment, instances, reviews] = await Promise.all([
    api.study(uid, signal),
    api.assessmentOf<Assessment>(uid, signal).catch(missing(null)),
    api.instances(uid, signal).catch(missing([])),
    api.reviews(uid, signal).catch(missing([])),
  ]);
  return {
    study,
    assessment,
    instances: instances.filter((one) => PICTURES.has(one.modality) && one.frames > 0),
    reviews: byFinding(reviews),
    identity: null,
    positions: new Map(),
    synthetic: study.synthetic || (assessment !== null && isSynthetic(assessment)),
  };
}

/** Who it is of, and when; researchers are not told. */
export async function identify(exam: Exam, signal: AbortSignal): Promise<void> {
  const { study_uid: uid } = exam.study;
  exam.identity = (await identities([uid], signal)).get(uid) ?? null;
}

/** How mammograms lie that no model has read: an earlier exam that was fetched, or one that failed. */
export async function locate(exam: Exam, signal: AbortSignal): Promise<void> {
  const rest = withoutResult(exam).filter((one) => one.modality === "MG");
  const series = [...new Set(rest.map((one) => one.series))];
  const described = await Promise.all(series.map((one) => describedBy(exam.study.study_uid, one, signal)));
  const all = new Map(described.flat().map((one) => [text(one, "00080018"), one]));
  for (const { instance, laterality, view } of rest) {
    const position = positionOf(all.get(instance) ?? {}, laterality, view);
    if (position) exam.positions.set(instance, position);
  }
}

/** Earlier mammography studies of the same patient, the latest first. */
export async function loadPriors(exam: Exam, signal: AbortSignal): Promise<Exam[]> {
  if (!exam.identity) return [];
  const found = (await earlier(exam.identity, signal)).slice(0, MOST_PRIORS);
  const load = async (identity: Identity) => {
    const prior = { ...(await loadExam(identity.uid, signal)), identity };
    await locate(prior, signal);
    return prior;
  };
  const loaded = await Promise.all(found.map(load));
  return loaded.filter((prior) => prior.instances.some((instance) => instance.modality === "MG"));
}

export const breastsOf = (exam: Exam): Breast[] => exam.assessment?.exams.flatMap((one) => one.breasts) ?? [];

/** `RCC`; of a sonogram the side and its rank by attention. */
export function titleOf({ breast, image }: Shot): string {
  if (image.mammogram) return lettersOf(breast.breast, image);
  return `${sideLetter(breast.breast) || "side not stated "}${image.rank}`;
}

export function pictureOf(exam: Exam, shot: Shot, earlier = ""): Picture | null {
  const instance = exam.instances.find((one) => one.file === shot.image.file);
  if (!instance) return null;
  const { breast, image } = shot;
  const chest = chestAt(breast.breast);
  return {
    exam,
    instance,
    frame: image.frame,
    title: titleOf(shot),
    letters: image.mammogram ? lettersOf(breast.breast, image) : null,
    rows: image.rows,
    cols: image.cols,
    window: image.crop.window,
    turn: image.mammogram ? layOf(image.mammogram, chest) : AS_STORED,
    chest,
    spacing: image.spacing_mm,
    shot,
    earlier,
  };
}

function withoutResult(exam: Exam): api.Instance[] {
  const read = new Set(breastsOf(exam).flatMap((breast) => breast.images.map((image) => image.file)));
  return exam.instances.filter((one) => !read.has(one.file));
}

/** Pictures of which there is no result, in the order of their numbers. */
export function unread(exam: Exam, earlier = ""): Picture[] {
  const rest = withoutResult(exam).sort((a, b) => (a.instance_number ?? 0) - (b.instance_number ?? 0));
  return rest.map((instance) => {
    const { rows, columns: cols, laterality, view } = instance;
    const [position, chest] = [exam.positions.get(instance.instance), chestAt(laterality ?? "")];
    const letters = `${laterality ?? ""}${view ?? ""}`;
    return {
      exam,
      instance,
      frame: 0,
      title: letters || instance.modality,
      letters: position && laterality && view ? letters : null,
      rows,
      cols,
      window: { row: 0, col: 0, rows, cols },
      turn: position ? layOf(position, chest) : AS_STORED,
      chest,
      spacing: position?.spacing ?? null,
      shot: null,
      earlier,
    };
  });
}

export const shots = (exam: Exam, modality: string): Shot[] =>
  shotsOf((exam.assessment?.exams ?? []).filter((one) => one.modality === modality));

export function marksOf({ modality, breast, imageIndex }: Shot, image: AssessedImage): Mark[] {
  return image.findings.map((finding, i) => {
    const size = finding.longest_axis_mm === null ? "" : `, ${finding.longest_axis_mm.toFixed(0)} mm`;
    const what = finding.lesion
      ? `Lesion ${finding.lesion.number}, score ${scoreWords(finding.lesion.score_of_100)} of 100`
      : `${finding.class} region, saliency up to ${finding.score.toFixed(2)}`;
    return { id: findingId(modality, breast.breast, imageIndex, i), finding, tag: tagOf(finding), words: what + size };
  });
}

/** The result of a loop's frame; that of the picture itself where it has one frame. */
export function resultAt(picture: Picture, frame: number): Shot | null {
  const { shot } = picture;
  if (!shot || shot.image.frame === frame) return shot;
  const imageIndex = shot.breast.images.findIndex((one) => one.file === shot.image.file && one.frame === frame);
  const image = shot.breast.images[imageIndex];
  return image ? { ...shot, image, imageIndex } : null;
}

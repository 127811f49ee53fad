// Which pictures stand on the screen together. Owns: the pages of a study and their order.

import { dateWords } from "../words";
import { type Exam, type Picture, pictureOf, shots, unread } from "./exam";
import { SCREENING, byAttention, hang } from "./hanging";

/** A place of the screen: a picture, or the view that is missing there. */
export type Cell = Picture | { missing: string };

export interface Layout {
  name: string;
  columns: number;
  cells: Cell[];
  /** All pictures at one scale, chest walls together. */
  hung: boolean;
  priors: boolean;
}

const PER_PAGE = 6;

export function layoutsOf(exam: Exam, priors: Exam[]): Layout[] {
  const mammograms = mammogramsOf(exam, "");
  const rest = unread(exam).filter((picture) => !picture.letters);
  const four = fourViews(exam);
  const beside = four.length ? priors.map((prior) => besideEarlier(exam, prior)) : [];
  const others = mammograms.length ? pagesOf("Further views", hang(mammograms).further, true) : [];
  return [...four, ...beside, ...others, ...ultrasound(exam), ...pagesOf("Not read", rest, false)];
}

/** Those that a model has read come first to their places. */
function mammogramsOf(exam: Exam, earlier: string): Picture[] {
  const read = shots(exam, "mammography").map((shot) => pictureOf(exam, shot, earlier));
  const rest = unread(exam, earlier).filter((picture) => picture.letters);
  return [...read, ...rest].filter((picture) => picture !== null);
}

function fourViews(exam: Exam): Layout[] {
  const mammograms = mammogramsOf(exam, "");
  if (mammograms.length === 0) return [];
  return [{ name: "Four views", columns: 2, cells: places(mammograms), hung: true, priors: false }];
}

const places = (mammograms: Picture[]): Cell[] =>
  hang(mammograms).standard.map((picture, i) => picture ?? { missing: SCREENING[i] ?? "" });

function besideEarlier(exam: Exam, prior: Exam): Layout {
  const date = prior.identity?.date ?? "";
  const cells = [...places(mammogramsOf(exam, "")), ...places(mammogramsOf(prior, date))];
  return { name: `Beside ${dateWords(date)}`, columns: 4, cells, hung: true, priors: true };
}

function ultrasound(exam: Exam): Layout[] {
  const ordered = byAttention(shots(exam, "ultrasound"));
  return pagesOf("By attention", ordered.map((shot) => pictureOf(exam, shot)).filter((one) => one !== null), false);
}

function pagesOf(name: string, pictures: Picture[], hung: boolean): Layout[] {
  const perPage = hung ? SCREENING.length : PER_PAGE;
  const pages = Math.ceil(pictures.length / perPage);
  return Array.from({ length: pages }, (_, i) => {
    const cells = pictures.slice(i * perPage, (i + 1) * perPage);
    const columns = cells.length === 1 ? 1 : cells.length <= 4 || hung ? 2 : 3;
    return { name: pages > 1 ? `${name} ${i + 1}/${pages}` : name, columns, cells, hung, priors: false };
  });
}

// What a researcher sees in the place of the pictures, which may name the patient: the heat maps of the result, from which
// everything outside the breast or the sonogram was taken.

import { resultFileOf } from "../api";
import { h } from "../dom";
import { plural } from "../words";
import { type Exam, titleOf } from "./exam";
import { shotsOf } from "./hanging";

export function stills(exam: Exam): HTMLElement {
  const shots = shotsOf(exam.assessment?.exams ?? []).sort((a, b) => a.image.rank - b.image.rank);
  const figures = shots.map((shot) => {
    const { heat_map: file, findings } = shot.image;
    if (!file) return null;
    const alt = `Heat map of ${titleOf(shot)}, ${plural(findings.length, "outlined region")}`;
    const src = resultFileOf(exam.study.study_uid, file);
    return h("figure", {}, h("img", { src, alt, loading: "lazy" }), h("figcaption", {}, titleOf(shot)));
  });
  const why = "Pictures may name the patient: researchers see the heat maps of the result.";
  return h("div", { class: "stills", tabindex: "0", role: "region", "aria-label": "Heat maps" }, h("p", { class: "dim" }, why), h("div", {}, figures));
}

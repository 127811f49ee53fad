// The findings beside the pictures, breast by breast, and what the reader says of each. Owns: the list and its reviews.

import { complain, say } from "../announce";
import * as api from "../api";
import type { Breast } from "../assessment";
import { h } from "../dom";
import { plural, scoreWords } from "../words";
import { type Exam, breastsOf, byFinding, marksOf, titleOf } from "./exam";
import { type Shot, shotsOf } from "./hanging";
import type { Mark } from "./overlay";

/** A finding and where it is. */
export interface Place {
  mark: Mark;
  shot: Shot;
  where: string;
}

export interface List {
  element: HTMLElement;
  places: Place[];
  select(id: string | null): void;
  decide(id: string, decision: "accepted" | "rejected"): void;
  comment(id: string): void;
}

interface Told {
  picked(id: string): void;
  changed(): void;
}

const SIDES: Record<string, string> = { right: "Right breast", left: "Left breast" };

export function placesOf(exam: Exam): Place[] {
  const places = shotsOf(exam.assessment?.exams ?? []).flatMap((shot) =>
    marksOf(shot, shot.image).map((mark) => ({ mark, shot, where: titleOf(shot) })),
  );
  // As they stand in the list: lesions by their number, then the other regions by the rank of their image.
  const number = (place: Place) => place.mark.finding.lesion?.number ?? Number.MAX_SAFE_INTEGER;
  const order = (a: Place, b: Place) => number(a) - number(b) || a.shot.image.rank - b.shot.image.rank;
  return inOrder(exam).flatMap((breast) => places.filter((place) => place.shot.breast === breast).sort(order));
}

/** The patient's right breast stands left. */
function inOrder(exam: Exam): Breast[] {
  const order: Record<string, number> = { right: 0, left: 1 };
  return [...breastsOf(exam)].sort((a, b) => (order[a.breast] ?? 2) - (order[b.breast] ?? 2));
}

export function findingsList(exam: Exam, mayReview: boolean, told: Told): List {
  const places = placesOf(exam);
  const rows = new Map(places.map((place) => [place.mark.id, row(exam, place, mayReview, told)]));
  const element = h("div", { class: "breasts" }, inOrder(exam).map((breast) => section(breast, places, rows)));
  return {
    element,
    places,
    select: (id) => rows.forEach((one, key) => one.select(key === id)),
    decide: (id, decision) => rows.get(id)?.decide(decision),
    comment: (id) => rows.get(id)?.comment(),
  };
}

function section(breast: Breast, places: Place[], rows: Map<string, Row>): HTMLElement {
  const own = places.filter((place) => place.shot.breast === breast);
  const numbers = [...new Set(own.flatMap((place) => place.mark.finding.lesion?.number ?? []))].sort((a, b) => a - b);
  const elements = (some: Place[]) => h("ul", {}, some.map((place) => rows.get(place.mark.id)?.element));
  const lesions = numbers.map((number) => {
    const some = own.filter((place) => place.mark.finding.lesion?.number === number);
    const score = Math.max(...some.map((place) => place.mark.finding.lesion?.score_of_100 ?? 0));
    return [h("h3", {}, `Lesion ${number}`, h("b", {}, scoreWords(score))), elements(some)];
  });
  const rest = own.filter((place) => !place.mark.finding.lesion);
  const further = rest.length > 0 && [h("h3", {}, numbers.length ? "Other regions" : "Regions"), elements(rest)];
  const kind = breast.probabilities ? "probability of malignancy" : "score, not calibrated";
  return h(
    "section",
    { class: breast.flagged ? "breast flagged" : "breast" },
    h(
      "h2",
      {},
      SIDES[breast.breast] ?? "Side not stated",
      h("span", { class: "big" }, scoreWords(breast.score_of_100), h("small", {}, " of 100")),
      breast.flagged && h("span", { class: "flag" }, "flagged"),
    ),
    h("p", { class: "dim" }, `${kind} · ${plural(breast.images.length, "image")}`),
    breast.missing_views.length > 0 && h("p", { class: "warn" }, `Missing: ${breast.missing_views.join(", ")}`),
    own.length === 0 && h("p", { class: "dim" }, "No outlined finding."),
    lesions,
    further,
  );
}

interface Row {
  element: HTMLElement;
  select(isSelected: boolean): void;
  decide(decision: "accepted" | "rejected"): void;
  comment(): void;
}

function row(exam: Exam, { mark, where }: Place, mayReview: boolean, told: Told): Row {
  const { finding, id } = mark;
  const size = finding.longest_axis_mm === null ? "" : ` · ${finding.longest_axis_mm.toFixed(0)} mm`;
  const what = finding.class === "benign" ? `${where} · benign` : where;
  const pick = h("button", { type: "button", class: "pick", onclick: () => told.picked(id) }, `${what}${size}`);
  pick.append(h("span", { class: "number" }, finding.lesion ? "" : scoreWords(100 * finding.score)));
  const buttons = { accepted: choice("Accept", "✓"), rejected: choice("Reject", "✕") };
  const input = h("input", { type: "text", maxlength: "2000", placeholder: "Comment", "aria-label": `Comment on ${mark.words}, ${where}` });
  const by = h("small", { class: "by" });
  const group = h("span", { role: "group", "aria-label": `Review of ${mark.words}, ${where}` }, buttons.accepted, buttons.rejected);
  const element = h("li", { class: `finding ${finding.class}`, "data-finding": id }, h("div", { class: "line" }, pick, mayReview && group));
  if (mayReview) element.append(h("div", { class: "more" }, input, by));
  const draw = () => {
    const review = exam.reviews.get(id);
    for (const decision of ["accepted", "rejected"] as const) {
      buttons[decision].setAttribute("aria-pressed", String(review?.decision === decision));
    }
    element.classList.toggle("accepted", review?.decision === "accepted");
    element.classList.toggle("rejected", review?.decision === "rejected");
    by.textContent = review ? `${review.decision} by ${review.reviewer}${review.current ? "" : ", of an earlier result"}` : "";
    if (review && document.activeElement !== input) input.value = review.comment;
    told.changed();
  };
  const save = (decision: "accepted" | "rejected") =>
    void keep(exam, id, decision, input.value).then(draw, complain);
  const toggle = (decision: "accepted" | "rejected") => {
    if (exam.reviews.get(id)?.decision === decision) void withdraw(exam, id).then(draw, complain);
    else save(decision);
  };
  buttons.accepted.addEventListener("click", () => toggle("accepted"));
  buttons.rejected.addEventListener("click", () => toggle("rejected"));
  input.addEventListener("change", () => {
    const decision = exam.reviews.get(id)?.decision;
    if (decision) save(decision);
    else say("The comment is kept when you accept or reject the finding.");
  });
  queueMicrotask(draw);
  return {
    element,
    select(isSelected) {
      element.classList.toggle("selected", isSelected);
      pick.setAttribute("aria-pressed", String(isSelected));
      if (isSelected) element.scrollIntoView({ block: "nearest" });
    },
    decide: (decision) => mayReview && toggle(decision),
    comment: () => mayReview && input.focus(),
  };
}

function choice(label: string, sign: string): HTMLButtonElement {
  return h("button", { type: "button", class: "choice", "aria-pressed": "false" }, h("span", { "aria-hidden": "true" }, `${sign} `), label);
}

async function keep(exam: Exam, finding: string, decision: "accepted" | "rejected", comment: string): Promise<void> {
  await api.putReview(exam.study.study_uid, finding, decision, comment);
  const now = await api.reviews(exam.study.study_uid);
  exam.reviews = byFinding(now);
  say(`Finding ${decision}.`);
}

async function withdraw(exam: Exam, finding: string): Promise<void> {
  await api.deleteReview(exam.study.study_uid, finding);
  exam.reviews.delete(finding);
  say("Review withdrawn.");
}

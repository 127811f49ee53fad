// What stands beside the pictures apart from the findings: whose exam, which model, what is missing, where to go on.

import { complain, say } from "../announce";
import * as api from "../api";
import { type ModelRun, modelsOf } from "../assessment";
import { h } from "../dom";
import { dateWords, modalityWords, nameWords, percent, plural } from "../words";
import { type Exam, breastsOf } from "./exam";

/** Words that no reader may miss. */
export function banners(exam: Exam): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (exam.synthetic) found.push(h("p", { class: "banner synthetic" }, h("b", {}, "SYNTHETIC"), " Computed phantoms, no patient."));
  const demonstration = exam.assessment && modelsOf(exam.assessment).some((run) => run.model.status === "demonstration");
  if (demonstration) {
    found.push(h("p", { class: "banner" }, h("b", {}, "DEMONSTRATION MODEL"), " No result may be read as a finding."));
  }
  if (exam.study.state === "failed") found.push(h("p", { class: "banner failed" }, h("b", {}, "NOT READ"), ` ${exam.study.reason ?? ""}`));
  else if (!exam.assessment) found.push(h("p", { class: "banner" }, `This study is ${exam.study.state}: there is no result yet.`));
  return found;
}

export function heading(exam: Exam): HTMLElement {
  const { study, identity } = exam;
  const who = identity && [nameWords(identity.name), identity.id, identity.birthDate && `born ${dateWords(identity.birthDate)}`];
  return h(
    "div",
    { class: "exam" },
    h("h1", {}, study.key),
    h("p", { class: "who" }, (who ?? []).filter(Boolean).join(" · ")),
    h("p", { class: "dim" }, [modalityWords(study.modalities), identity?.date && dateWords(identity.date)].filter(Boolean).join(" · ")),
  );
}

export function models(exam: Exam): HTMLElement {
  const { assessment } = exam;
  if (!assessment) return h("section", {});
  return h("section", { class: "model" }, h("h2", {}, "Model"), modelsOf(assessment).map(one), h("p", { class: "warn" }, assessment.notice));
}

function one({ model, calibration, operating_point: point }: ModelRun): HTMLElement {
  const calibrated = calibration.calibrated
    ? `calibrated${calibration.prevalence === null ? "" : ` at a prevalence of ${percent(calibration.prevalence)}`}`
    : "not calibrated: scores rank, they are no probabilities";
  const flagged = point
    ? `${point.name}: flagged from ${(100 * point.threshold).toFixed(1)} of 100 (${point.chosen_by})`
    : "none: nothing is flagged";
  const facts: [string, string][] = [
    ["Name", `${model.name} ${model.version}${model.status === "demonstration" ? " (demonstration)" : ""}`],
    ["Networks", `${model.members}, on ${model.engine}`],
    ["Calibration", calibrated],
    ["Operating point", flagged],
    ["Digest", model.digest.slice(0, 16)],
  ];
  return h(
    "div",
    {},
    h("dl", {}, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("p", { class: "dim" }, model.research_use),
  );
}

/** Warnings of the exam and its images, and files that were not used. */
export function remarks(exam: Exam): HTMLElement | null {
  const { assessment } = exam;
  if (!assessment) return null;
  const ofExams = assessment.exams.flatMap((one) => one.warnings.map((warning) => warning.message));
  const ofImages = breastsOf(exam).flatMap((breast) =>
    breast.images.flatMap((image) => image.warnings.map((warning) => warning.message)),
  );
  const counted = new Map<string, number>();
  for (const words of [...ofExams, ...ofImages]) counted.set(words, (counted.get(words) ?? 0) + 1);
  const words = [...counted].map(([text, count]) => (count > 1 ? `${text} (${plural(count, "time")})` : text));
  if (words.length + assessment.skipped.length === 0) return null;
  const skipped = assessment.skipped.map(({ file, reason }) => {
    const number = exam.instances.find((instance) => instance.file === file)?.instance_number;
    return `Not used: ${number === null || number === undefined ? file : `image ${number}`}: ${reason}`;
  });
  return h("section", { class: "remarks" }, h("h2", {}, "Remarks"), h("ul", {}, [...words, ...skipped].map((text) => h("li", {}, text))));
}

/** Where the study can be taken from here. */
export function ways(exam: Exam, session: api.Session): HTMLElement {
  const uid = exam.study.study_uid;
  const done = (promise: Promise<void>, words: string, then?: () => void) =>
    void promise.then(() => {
      say(words);
      then?.();
    }, complain);
  const isResearcher = session.role === "researcher";
  const again = () => done(exam.study.state === "failed" ? api.retry(uid) : api.assess(uid), "The study will be read again.");
  const sure = () => window.confirm(`Delete ${exam.study.key}, its images and its results?`);
  const gone = () => sure() && done(api.remove(uid), "Deleted.", () => (location.hash = "#/"));
  const button = (text: string, onclick: () => void) => h("button", { type: "button", onclick }, text);
  return h(
    "section",
    { class: "ways" },
    exam.study.report && h("a", { class: "button", href: api.reportOf(uid), target: "_blank", rel: "noopener" }, "Report"),
    exportButton(exam),
    !isResearcher && button("Read again", again),
    session.role === "admin" && button("Delete", gone),
    exam.study.deliveries.length > 0 && h("ul", { class: "sent" }, exam.study.deliveries.map(sent)),
  );
}

function exportButton(exam: Exam): HTMLElement {
  const button = h("button", { type: "button" }, "Export, de-identified");
  button.addEventListener("click", () => {
    button.disabled = true;
    api
      .exported(exam.study.study_uid)
      .then((file) => download(file, `${exam.study.key}.zip`), complain)
      .finally(() => (button.disabled = false));
  });
  return button;
}

function download(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  const link = h("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(href), 60_000);
  say("The de-identified study has been handed to the browser.");
}

function sent(delivery: api.Delivery): HTMLElement {
  return h("li", {}, `${delivery.destination}: ${delivery.state}${delivery.reason ? `, ${delivery.reason}` : ""}`);
}

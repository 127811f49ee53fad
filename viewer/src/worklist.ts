// Every study, the most suspicious first, as it changes. Owns: filters, the table, what can be done from it.

import { complain, say } from "./announce";
import * as api from "./api";
import { type Identity, identities } from "./dicomweb";
import { fill, h } from "./dom";
import type { Place } from "./main";
import { takeDrops, uploadButton } from "./upload";
import { dateWords, modalityWords, nameWords, ofHundred, plural, whenWords } from "./words";

const PAGE = 100;
/** Changes come in bursts: the list is asked for once after each. */
const SETTLE_MS = 250;

/** What was asked for stays while the reader looks at a study. */
const filters: api.Filters = { q: "", state: "", modality: "", flagged: false, order: "suspicion" };
let limit = PAGE;

export async function showWorklist({ main, session, signal }: Place): Promise<void> {
  const table = h("div", { class: "table" });
  const count = h("span", { class: "count" });
  const live = h("span", { class: "live" });
  const renew = () => draw(table, count, session, signal);
  const later = settled(() => void renew().catch(complain), signal);
  const bar = h("form", { class: "filters", onsubmit: (event: Event) => event.preventDefault() }, fields(later), count, live);
  const work = session.role === "researcher" ? null : [uploadButton(), demoButton()];
  const title = h("div", { class: "title" }, h("h1", {}, "Worklist"), h("span", { class: "actions" }, work));
  fill(main, title, bar, table);
  if (work) takeDrops(main, signal);
  api.watch(
    signal,
    (event) => {
      if (event.state === "done" || event.state === "failed") say(spoken(event));
      later();
    },
    (isLive) => {
      live.textContent = isLive ? "● live" : "○ not connected";
      if (isLive) later();
    },
  );
  await renew();
}

function settled(action: () => void, signal: AbortSignal): () => void {
  let timer = 0;
  signal.addEventListener("abort", () => window.clearTimeout(timer));
  return () => {
    window.clearTimeout(timer);
    if (!signal.aborted) timer = window.setTimeout(action, SETTLE_MS);
  };
}

function spoken(event: api.StudyEvent): string {
  if (event.state === "failed") return "A study could not be read.";
  const score = event.score === null ? "" : `, score ${ofHundred(event.score)} of 100`;
  return `A study has been read${score}${event.flagged ? ", flagged" : ""}.`;
}

function fields(changed: () => void): HTMLElement[] {
  const pick = (label: string, name: "state" | "modality" | "order", options: [string, string][]) => {
    const select = h("select", {}, options.map(([value, text]) => h("option", { value }, text)));
    select.value = filters[name];
    select.addEventListener("change", () => {
      filters[name] = select.value as never;
      changed();
    });
    return h("label", {}, `${label} `, select);
  };
  const q = h("input", { type: "search", value: filters.q, size: 18 });
  q.addEventListener("input", () => {
    filters.q = q.value.trim();
    changed();
  });
  const flagged = h("input", { type: "checkbox", checked: filters.flagged });
  flagged.addEventListener("change", () => {
    filters.flagged = flagged.checked;
    changed();
  });
  const states: api.State[] = ["arriving", "complete", "queued", "running", "done", "failed"];
  return [
    h("label", {}, "Search ", q),
    pick("State", "state", [["", "all"], ...states.map((state): [string, string] => [state, state])]),
    pick("Modality", "modality", [["", "all"], ["MG", "mammography"], ["US", "ultrasound"]]),
    pick("Order", "order", [["suspicion", "by suspicion"], ["arrival", "by arrival"]]),
    h("label", {}, flagged, " flagged only"),
  ];
}

function demoButton(): HTMLElement {
  const button = h("button", { type: "button" }, "Load demo data");
  button.title = "Sends synthetic exams, computed phantoms of no patient, to this service";
  button.addEventListener("click", () => {
    button.disabled = true;
    api
      .demo()
      .then(() => say("Synthetic exams are on their way."), complain)
      .finally(() => (button.disabled = false));
  });
  return button;
}

async function draw(table: HTMLElement, count: HTMLElement, session: api.Session, signal: AbortSignal): Promise<void> {
  const answer = await api.studies(filters, limit, signal);
  const patients = session.role === "researcher" ? new Map<string, Identity>() : await identities(answer.studies.map((one) => one.study_uid), signal);
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.focus : undefined;
  count.textContent = plural(answer.total, "study", "studies");
  if (answer.studies.length === 0) return fill(table, empty(session));
  const heads = ["Score of 100", "Flag", patients.size ? "Patient" : "", "Study", "Modality", "State", "Images", "Arrived", "Remarks"];
  const more = () => {
    limit += PAGE;
    void draw(table, count, session, signal).catch(complain);
  };
  fill(
    table,
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, "Studies"),
      h("thead", {}, h("tr", {}, heads.filter(Boolean).map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, answer.studies.map((study) => row(study, patients.get(study.study_uid), session, patients.size > 0))),
    ),
    answer.total > answer.studies.length &&
      h("p", {}, h("button", { type: "button", onclick: more }, `Show more of ${answer.total}`)),
  );
  if (focused) table.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function empty(session: api.Session): HTMLElement {
  const isFiltered = filters.q || filters.state || filters.modality || filters.flagged;
  if (isFiltered) return h("p", { class: "empty" }, "No study fits these filters.");
  const how = session.role === "researcher" ? "" : " Send images over DICOM, drop files here, or load the demo data.";
  return h("p", { class: "empty" }, `No study has arrived yet.${how}`);
}

function row(study: api.StudyRow, patient: Identity | undefined, session: api.Session, hasPatients: boolean): HTMLElement {
  const address = `#/study/${study.study_uid}`;
  const open = (event: MouseEvent) => {
    const isLink = event.target instanceof Element && event.target.closest("a,button");
    if (!isLink && !window.getSelection()?.toString()) location.hash = address;
  };
  const link = h("a", { href: address, "data-focus": `open ${study.study_uid}` }, study.key);
  const who = patient ? [nameWords(patient.name), patient.id].filter(Boolean).join(" · ") : "";
  return h(
    "tr",
    { class: study.flagged ? "flagged" : "", onclick: open, "data-uid": study.study_uid },
    h("td", { class: "suspicion" }, scoreOf(study)),
    h("td", {}, study.flagged && h("span", { class: "flag" }, "flagged")),
    hasPatients && h("td", { class: "who" }, who),
    h("td", { class: "key" }, link, study.synthetic && h("span", { class: "synthetic" }, "SYNTHETIC")),
    h("td", {}, modalityWords(study.modalities)),
    h("td", {}, h("span", { class: `state ${study.state}` }, study.state)),
    h("td", { class: "number" }, String(study.instances)),
    h("td", { class: "when" }, whenWords(study.last_arrival_ms), patient?.date && h("small", {}, ` exam ${dateWords(patient.date)}`)),
    h("td", { class: "reason" }, study.reason, study.state === "failed" && retryButton(study, session)),
  );
}

function scoreOf(study: api.StudyRow): HTMLElement {
  if (study.score === null) return h("span", { class: "none", "aria-label": "no score" }, "–");
  const width = Math.max(0, Math.min(1, study.score)) * 100;
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", { style: `width:${width.toFixed(0)}%` }));
  return h("span", { class: "score" }, h("b", {}, ofHundred(study.score)), bar);
}

/** A button that has what failed tried again. */
export function retryButton(study: { study_uid: string; key?: string }, session: api.Session): HTMLElement | null {
  if (session.role === "researcher") return null;
  const button = h("button", { type: "button", "aria-label": `Try again: ${study.key ?? study.study_uid}` }, "Try again");
  button.dataset.focus = `retry ${study.study_uid}`;
  button.addEventListener("click", () => {
    button.disabled = true;
    api.retry(study.study_uid).then(
      () => say("It will be tried again."),
      (error: unknown) => {
        button.disabled = false;
        complain(error);
      },
    );
  });
  return button;
}

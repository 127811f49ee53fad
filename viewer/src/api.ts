// The service's programming interface, as its OpenAPI document describes it. Owns: addresses, the token against forged
// requests, errors in words. Does not own: pixels (`study/frames.ts`).

export interface Session {
  name: string;
  role: "admin" | "radiologist" | "researcher";
  csrf: string;
  /** No account exists: whoever reaches the service may do everything. */
  open?: boolean;
}

export type State = "arriving" | "complete" | "queued" | "running" | "done" | "failed";

export interface StudyRow {
  study_uid: string;
  key: string;
  state: State;
  modalities: string;
  instances: number;
  read_instances: number;
  first_arrival_ms: number;
  last_arrival_ms: number;
  score: number | null;
  flagged: boolean;
  synthetic: boolean;
  reason: string | null;
}

export interface Delivery {
  destination: string;
  state: string;
  attempts: number;
  reason: string | null;
}

export interface OneStudy extends StudyRow {
  deliveries: Delivery[];
  report: string | null;
}

export interface Instance {
  /** As the assessment names it. */
  file: string;
  series: string;
  instance: string;
  frames: number;
  rows: number;
  columns: number;
  /** Of a decoded frame's sample: 8 or 16. */
  bits: number;
  signed: boolean;
  photometric: string;
  slope: number | null;
  intercept: number | null;
  window_center: number | null;
  window_width: number | null;
  window_function: string | null;
  /** False where only a table says how to show it. */
  voi: boolean;
  modality: string;
  laterality: string | null;
  view: string | null;
  instance_number: number | null;
}

export interface Review {
  finding: string;
  decision: "accepted" | "rejected";
  comment: string;
  reviewer: string;
  /** Milliseconds since 1970. */
  at: number;
  /** Whether it is of the result that is there. */
  current: boolean;
}

export interface StudyEvent {
  uid: string;
  state: State;
  score: number | null;
  flagged: boolean;
}

export interface Filters {
  q: string;
  state: string;
  modality: string;
  flagged: boolean;
  order: "suspicion" | "arrival";
}

/** What the service said instead of an answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let csrf = "";

const at = (uid: string, ...rest: string[]) => ["/api/v1/studies", encodeURIComponent(uid), ...rest].join("/");

async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (method !== "GET" && csrf) headers.set("X-CSRF-Token", csrf);
  let response: Response;
  try {
    response = await fetch(path, { ...init, method, headers, credentials: "same-origin" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refused(0, "The service does not answer.");
  }
  if (response.ok) return response;
  throw new Refused(response.status, await reasonOf(response));
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as { detail?: unknown; title?: unknown };
    const words = problem.detail ?? problem.title;
    if (typeof words === "string") return words;
  } catch {
    // Not a problem in JSON: the status has to do.
  }
  return `The service answered with status ${response.status}.`;
}

async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path, { signal, headers: { Accept: "application/json" } });
  return (await response.json()) as T;
}

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});

/** Who is logged in; null when nobody is and accounts exist. */
export async function session(): Promise<Session | null> {
  try {
    return remember(await read<Session>("/api/v1/session"));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return null;
    throw error;
  }
}

export async function logIn(name: string, password: string): Promise<Session> {
  const response = await send("POST", "/api/v1/session", json({ name, password }));
  return remember((await response.json()) as Session);
}

export async function logOut(): Promise<void> {
  await send("DELETE", "/api/v1/session");
  csrf = "";
}

function remember(session: Session): Session {
  csrf = session.csrf ?? "";
  return session;
}

export async function studies(
  filters: Filters,
  limit: number,
  signal?: AbortSignal,
): Promise<{ studies: StudyRow[]; total: number }> {
  const query = new URLSearchParams({ limit: String(limit), order: filters.order });
  for (const name of ["q", "state", "modality"] as const) if (filters[name]) query.set(name, filters[name]);
  if (filters.flagged) query.set("flagged", "true");
  const answer = await read<{ studies: StudyRow[]; total?: number }>(`/api/v1/studies?${query}`, signal);
  return { studies: answer.studies, total: answer.total ?? answer.studies.length };
}

export interface FailedJob {
  study_uid: string;
  key: string;
  kind: string;
  destination: string;
  attempts: number;
  reason: string | null;
}

export async function failedJobs(signal?: AbortSignal): Promise<FailedJob[]> {
  return read<FailedJob[]>("/api/v1/jobs?state=failed", signal);
}

export const study = (uid: string, signal?: AbortSignal) => read<OneStudy>(at(uid), signal);
export const instances = (uid: string, signal?: AbortSignal) => read<Instance[]>(at(uid, "instances"), signal);
export const reviews = (uid: string, signal?: AbortSignal) => read<Review[]>(at(uid, "reviews"), signal);
export const assessmentOf = <T>(uid: string, signal?: AbortSignal) => read<T>(at(uid, "assessment"), signal);

export async function putReview(uid: string, finding: string, decision: string, comment: string): Promise<void> {
  await send("PUT", at(uid, "reviews", encodeURIComponent(finding)), json({ decision, comment }));
}

export async function deleteReview(uid: string, finding: string): Promise<void> {
  await send("DELETE", at(uid, "reviews", encodeURIComponent(finding)));
}

export async function retry(uid: string): Promise<void> {
  await send("POST", at(uid, "retry"), { headers: { Accept: "application/json" } });
}

export async function assess(uid: string): Promise<void> {
  await send("POST", at(uid, "assess"));
}

export async function remove(uid: string): Promise<void> {
  await send("DELETE", at(uid));
}

export async function demo(): Promise<void> {
  await send("POST", "/api/v1/demo");
}

/** The study without what identifies the patient, as a ZIP. */
export async function exported(uid: string): Promise<Blob> {
  return (await send("GET", at(uid, "export"))).blob();
}

export const reportOf = (uid: string) => `/studies/${encodeURIComponent(uid)}/report.html`;
export const resultFileOf = (uid: string, file: string) =>
  `/studies/${encodeURIComponent(uid)}/${file.split("/").map(encodeURIComponent).join("/")}`;

/** STOW-RS: the answer's own account of what was stored and what was not. */
export async function store(files: Blob[]): Promise<{ stored: number; failed: number }> {
  const boundary = `lobule-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
  const parts = files.flatMap((file) => [head, file, "\r\n"]);
  const response = await sendOrConflict(new Blob([...parts, `--${boundary}--\r\n`]), boundary);
  const answer = (await response.json().catch(() => ({}))) as Record<string, { Value?: unknown[] }>;
  const count = (tag: string) => answer[tag]?.Value?.length ?? 0;
  const failed = count("00081198");
  return { stored: count("00081199") || files.length - failed, failed };
}

/** A conflict says that nothing could be stored, and why: it is an answer like the others. */
async function sendOrConflict(body: Blob, boundary: string): Promise<Response> {
  const headers: Record<string, string> = {
    "Content-Type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
    Accept: "application/dicom+json",
  };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const response = await fetch("/dicomweb/studies", { method: "POST", body, headers, credentials: "same-origin" });
  if (response.ok || response.status === 409) return response;
  throw new Refused(response.status, await reasonOf(response));
}

/** Calls back with every change of a study until the signal stops it, and when the stream begins anew: what happened in
 * between is not told. A page that nobody sees listens to nothing: browsers hold few connections to one service. */
export function watch(signal: AbortSignal, changed: (event: StudyEvent) => void, live: (isLive: boolean) => void): void {
  let source: EventSource | null = null;
  const close = () => {
    source?.close();
    source = null;
  };
  const heed = () => {
    if (document.hidden || signal.aborted) return close();
    source ??= listen(changed, live);
  };
  document.addEventListener("visibilitychange", heed, { signal });
  signal.addEventListener("abort", close);
  heed();
}

function listen(changed: (event: StudyEvent) => void, live: (isLive: boolean) => void): EventSource {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("study", (message) => {
    try {
      changed(JSON.parse((message as MessageEvent<string>).data) as StudyEvent);
    } catch {
      // A message that is no JSON changes nothing; the next list will be right.
    }
  });
  source.addEventListener("open", () => live(true));
  source.addEventListener("error", () => live(false));
  return source;
}

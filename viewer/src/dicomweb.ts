// Who a study is of, by QIDO-RS. Owns: the few attributes that are asked for, out of DICOM JSON. Researchers are refused
// here: for them there is no patient.

/** Attributes of DICOM JSON by tag. */
export type Attributes = Record<string, { Value?: unknown[] } | undefined>;

export function text(from: Attributes, tag: string): string {
  const value = from[tag]?.Value?.[0];
  if (typeof value === "string") return value;
  const name = (value as { Alphabetic?: unknown } | undefined)?.Alphabetic;
  return typeof name === "string" ? name : "";
}

export interface Identity {
  uid: string;
  date: string;
  name: string;
  id: string;
  birthDate: string;
}

const identityOf = (from: Attributes): Identity => ({
  uid: text(from, "0020000D"),
  date: text(from, "00080020"),
  name: text(from, "00100010"),
  id: text(from, "00100020"),
  birthDate: text(from, "00100030"),
});

async function search(query: URLSearchParams, signal?: AbortSignal): Promise<Identity[]> {
  query.set("includefield", "00080020,00100010,00100020,00100030");
  const headers = { Accept: "application/dicom+json" };
  const response = await fetch(`/dicomweb/studies?${query}`, { headers, credentials: "same-origin", signal });
  if (!response.ok || response.status === 204) return [];
  return ((await response.json()) as Attributes[]).map(identityOf);
}

/** Studies by these identifiers. */
export async function identities(uids: string[], signal?: AbortSignal): Promise<Map<string, Identity>> {
  if (uids.length === 0) return new Map();
  const query = new URLSearchParams({ StudyInstanceUID: uids.join(","), limit: String(uids.length) });
  return new Map((await search(query, signal)).map((one) => [one.uid, one]));
}

/** Most studies of a patient that are looked through. */
const MOST = "100";

/** Mammography studies of the patient of a study, from before it, the latest first. None where the patient is not identified. */
export async function earlier(than: Identity, signal?: AbortSignal): Promise<Identity[]> {
  // These would be taken for patterns.
  if (!than.id || !than.date || /[*?\\]/.test(than.id)) return [];
  const query = new URLSearchParams({ PatientID: than.id, ModalitiesInStudy: "MG", limit: MOST });
  const found = await search(query, signal);
  // One number may have been given to two patients.
  const isSame = (one: Identity) => one.id === than.id && (!one.birthDate || !than.birthDate || one.birthDate === than.birthDate);
  const before = found.filter((one) => isSame(one) && one.date && one.date < than.date && one.uid !== than.uid);
  return before.sort((a, b) => b.date.localeCompare(a.date));
}

/** All attributes of the instances of a series. */
export async function describedBy(study: string, series: string, signal?: AbortSignal): Promise<Attributes[]> {
  const headers = { Accept: "application/dicom+json" };
  const response = await fetch(`/dicomweb/studies/${study}/series/${series}/metadata`, { headers, credentials: "same-origin", signal });
  return response.ok ? ((await response.json()) as Attributes[]) : [];
}

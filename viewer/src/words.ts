// How values are written.

/** A probability or score as a whole number of 100. */
export const ofHundred = (share: number) => String(Math.round(100 * share));

/** One decimal below ten, none above. */
export function scoreWords(ofHundred: number): string {
  return ofHundred < 9.95 ? ofHundred.toFixed(1) : ofHundred.toFixed(0);
}

export const percent = (share: number) => `${Math.round(100 * share)} %`;

/** DICOM's codes as people say them. */
export function modalityWords(codes: string): string {
  const names: Record<string, string> = { MG: "Mammography", US: "Ultrasound" };
  const known = codes.split(/[,\\]/).filter((code) => code === "MG" || code === "US");
  return known.length ? known.map((code) => names[code]).join(", ") : codes;
}

/** The time of day for today, else the date. */
export function whenWords(milliseconds: number, now = Date.now()): string {
  const then = new Date(milliseconds);
  const isToday = new Date(now).toDateString() === then.toDateString();
  return isToday
    ? then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })
    : then.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });
}

/** `20250714` as `2025-07-14`; anything else as it is. */
export function dateWords(dicom: string): string {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(dicom);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}` : dicom;
}

/** DICOM separates the parts of a name by carets. */
export const nameWords = (dicom: string) => dicom.split("^").filter(Boolean).join(", ");

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

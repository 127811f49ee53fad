// Files in parcels that one request may carry.

const MOST_FILES = 20;
const MOST_BYTES = 64 << 20;

/** In their order; a file that is too large for any goes alone. */
export function parcelsOf<T extends { size: number }>(files: T[]): T[][] {
  const parcels: T[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = parcels.at(-1);
    if (!last || last.length === MOST_FILES || bytes + file.size > MOST_BYTES) {
      parcels.push([file]);
      bytes = file.size;
    } else {
      last.push(file);
      bytes += file.size;
    }
  }
  return parcels;
}

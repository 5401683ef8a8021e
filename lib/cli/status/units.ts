/**
 * Numbers as people read them.
 *
 * @module
 */

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1,234,567`. */
export function showCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `12.3 MiB`. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `0.4/s`, `1,234/s`. */
export function showRate(perSecond: number): string {
  return `${perSecond < 100 ? perSecond.toFixed(1) : showCount(perSecond)}/s`;
}

/** `62.1 %`. */
export function showShare(part: number, whole: number): string {
  return whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`;
}

/** `250 µs`, `1.5 ms`, `3.2 s`: how long something short takes. */
export function showShortTime(seconds: number): string {
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(1)} s`;
}

/** `41 days`, `3 h 20 min`, `12 s`: a stretch of time, its two greatest units. */
export function showStretch(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  if (whole >= 2 * DAY) return `${Math.floor(whole / DAY)} days`;
  if (whole >= HOUR) {
    return `${Math.floor(whole / HOUR)} h ${Math.floor(whole % HOUR / MINUTE)} min`;
  }
  return whole >= MINUTE ? `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s` : `${whole} s`;
}

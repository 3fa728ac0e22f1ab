const FIRST_S = 2
const LONGEST_S = 60

/** Milliseconds before attempt `attempts` + 1: 2, 4, 8 ... 60 s, of which a random half, so that phones do not return together. */
export function backoff(attempts: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_S, FIRST_S * 2 ** Math.max(0, attempts - 1)) * 1000
  return Math.round(full / 2 + (full / 2) * random())
}

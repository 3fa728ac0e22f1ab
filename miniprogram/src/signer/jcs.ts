export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?:[^\uD800-\uDBFF]|^)[\uDC00-\uDFFF]/

function quoted(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new TypeError('a lone surrogate has no canonical form')
  return JSON.stringify(text)
}

/**
 * The canonical JSON text of `value` (RFC 8785), over what a signed document may hold: strings, whole numbers within
 * 2^53, booleans, null, arrays, objects. Throws TypeError on anything else (a fraction travels as a string here).
 */
export function jcs(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`not a whole number: ${value}`)
    return String(value === 0 ? 0 : value)
  }
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`not JSON: ${typeof value}`)
  // Array.sort compares UTF-16 code units, which is the order RFC 8785 section 3.2.3 asks for.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${quoted(key)}:${jcs(value[key])}`)
  return `{${members.join(',')}}`
}

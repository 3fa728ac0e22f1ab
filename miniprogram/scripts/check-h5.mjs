// The H5 build asks no other host for anything, works under a strict CSP, and stays small.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { conclude, filesBelow } from './files.mjs'

const BUILD = 'dist/build/h5'
const LARGEST_GZ = 400 * 1024
/** Addresses that stand in texts and namespaces and are never fetched. */
const WORDS = [/^https?:\/\/www\.w3\.org\//, /^https:\/\/vuejs\.org\/error-reference\//]
const ADDRESS = /(?:https?:|wss?:|(?<=["'(`=]))\/\/[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+[^\s"'`)<>\\]*/gi
/** Ways to run text as code, which `script-src 'self'` refuses. */
const EVAL = /\bnew Function\(|[^.\w$]eval\(/

const faults = []
let whole = 0
for (const path of filesBelow(BUILD)) {
  const bytes = readFileSync(path)
  whole += gzipSync(bytes).length
  if (!/\.(html|css|js|json|svg)$/.test(path)) continue
  const text = bytes.toString('utf8')
  for (const [address] of text.matchAll(ADDRESS))
    if (!WORDS.some((word) => word.test(address))) faults.push(`${path} names another host: ${address.slice(0, 120)}`)
  if (/\.js$/.test(path) && EVAL.test(text)) faults.push(`${path} runs text as code`)
  if (/\.html$/.test(path) && /<script(?![^>]*\bsrc=)[^>]*>\s*[^\s<]/.test(text))
    faults.push(`${path} has an inline script`)
}
if (whole > LARGEST_GZ) faults.push(`${Math.round(whole / 1024)} KB gzipped is more than ${LARGEST_GZ / 1024} KB`)
conclude(faults, `H5: no foreign host, no inline script, ${Math.round(whole / 1024)} KB gzipped`)

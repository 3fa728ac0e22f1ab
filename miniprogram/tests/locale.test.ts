import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import en from '@/locale/en'
import zh from '@/locale/zh-Hans'

const ROOT = fileURLToPath(new URL('../src', import.meta.url))

function leaves(tree: object, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + key, value)
    else for (const [inner, text] of leaves(value as object, `${path}${key}.`)) found.set(inner, text)
  }
  return found
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'locale' ? [] : sources(path)
    return /\.(vue|ts)$/.test(entry.name) ? [readFileSync(path, 'utf8')] : []
  })
}

const chinese = leaves(zh)
const english = leaves(en)
const code = sources(ROOT).join('\n')
/** Groups whose keys come from data: `t(\`tasks.kind.${kind}\`)`, `word('state', code)`. */
const GROUPS = [...code.matchAll(/`([a-zA-Z.]+)\.\$\{/g), ...code.matchAll(/word\('([a-zA-Z.]+)'/g)].map(
  (match) => `${match[1]}.`,
)
const isUsed = (key: string) => code.includes(`'${key}'`) || GROUPS.some((group) => key.startsWith(group))

describe('the words', () => {
  it('are the same set in both languages', () => expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort()))
  it('fill in the same blanks in both languages', () => {
    const blanks = (text = '') => (text.match(/\{\w+\}/g) ?? []).sort()
    for (const [key, text] of chinese)
      expect({ key, blanks: blanks(english.get(key)) }).toEqual({ key, blanks: blanks(text) })
  })
  it('are all used', () => expect([...chinese.keys()].filter((key) => !isUsed(key))).toEqual([]))
  it('are all there', () => {
    const asked = [
      ...code.matchAll(/\bt\(\s*'([\w.-]+)'/g),
      ...code.matchAll(/\?\s*'([a-z]\w*\.[\w.]+)'\s*:\s*'([a-z]\w*\.[\w.]+)'/g),
    ].flatMap((match) => match.slice(1).filter(Boolean))
    expect(asked.length).toBeGreaterThan(80)
    expect([...new Set(asked)].filter((key) => !chinese.has(key))).toEqual([])
  })
  it('are Chinese where they should be, and carry no Chinese in English', () => {
    expect([...english].filter(([, text]) => /[\u4e00-\u9fff]/.test(text))).toEqual([])
    const words = (text: string) => text.replace(/\{\w+\}/g, '')
    expect([...chinese].filter(([, text]) => !/[\u4e00-\u9fff]/.test(text) && /[a-z]{2}/i.test(words(text)))).toEqual(
      [],
    )
  })
  it('name each unit in which an order can be issued', () => {
    const labels = readFileSync(join(ROOT, '../../backend/console/labels.py'), 'utf8')
    const offered = [...(labels.match(/OFFERED_UNITS = \(([^)]*)\)/)?.[1] ?? '').matchAll(/"(\w+)"/g)].map(
      (found) => found[1],
    )
    expect(offered.length).toBeGreaterThan(8)
    expect(offered.filter((unit) => !chinese.has(`unit.${unit}`))).toEqual([])
  })
  it('have a sentence for each refusal that the server documents', () => {
    const documented = readFileSync(join(ROOT, '../../docs/integrators/errors.md'), 'utf8')
    const codes = [...documented.matchAll(/^### (\S+)$/gm)].map((match) => match[1])
    expect(codes.length).toBeGreaterThan(40)
    expect(codes.filter((code) => !chinese.has(`problem.${code}`))).toEqual([])
  })
  it('hold no character that vue-i18n reads as syntax', () => {
    for (const [key, text] of [...chinese, ...english])
      expect({ key, odd: text.replace(/\{\w+\}/g, '').match(/[@|{}]/)?.[0] }).toEqual({ key, odd: undefined })
  })
})

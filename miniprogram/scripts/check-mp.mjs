// The mini-program build, without WeChat's tools: what can be parsed parses, what is named exists, every template compiles
// with WeChat's own template compiler, and the main package is within its limit.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { parse } from 'acorn'
import { conclude, filesBelow } from './files.mjs'

const require = createRequire(import.meta.url)
const { TmplGroup } = require('glass-easel-template-compiler')

const BUILD = 'dist/build/mp-weixin'
const MAIN_PACKAGE = 2 * 1024 * 1024
const IMAGE_LIMIT = 40 * 1024

const faults = []
const files = filesBelow(BUILD)
const json = new Map()

for (const path of files.filter((file) => file.endsWith('.json'))) {
  try {
    json.set(path, JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    faults.push(`${path}: ${error.message}`)
  }
}

const app = json.get(join(BUILD, 'app.json')) ?? { pages: [] }
if (!app.pages?.length) faults.push('app.json names no page')
for (const page of app.pages ?? [])
  for (const kind of ['js', 'json', 'wxml'])
    if (!existsSync(join(BUILD, `${page}.${kind}`))) faults.push(`page ${page} has no .${kind}`)
for (const { pagePath, iconPath, selectedIconPath } of app.tabBar?.list ?? []) {
  if (!app.pages.includes(pagePath)) faults.push(`tab ${pagePath} is no page`)
  for (const icon of [iconPath, selectedIconPath]) {
    const path = join(BUILD, icon)
    if (!existsSync(path)) faults.push(`tab icon ${icon} is not there`)
    else if (statSync(path).size > IMAGE_LIMIT) faults.push(`tab icon ${icon} is over 40 KB`)
  }
}

for (const [path, content] of json) {
  for (const [name, target] of Object.entries(content.usingComponents ?? {})) {
    const base = target.startsWith('/') ? join(BUILD, target) : resolve(dirname(path), target)
    for (const kind of ['js', 'json', 'wxml'])
      if (!existsSync(`${base}.${kind}`)) faults.push(`${path}: component ${name} has no .${kind}`)
  }
}

for (const path of files.filter((file) => file.endsWith('.js'))) {
  try {
    parse(readFileSync(path, 'utf8'), { ecmaVersion: 2018, sourceType: 'script' })
  } catch (error) {
    faults.push(`${path} is not ES2018: ${error.message}`)
  }
}

const templates = files.filter((file) => file.endsWith('.wxml'))
const group = new TmplGroup()
for (const path of templates) {
  try {
    const found = group.addTmpl(relative(BUILD, path).replace(/\.wxml$/, ''), readFileSync(path, 'utf8')) ?? []
    for (const warning of found)
      if (warning.isError) faults.push(`${path}: ${warning.message ?? JSON.stringify(warning)}`)
  } catch (error) {
    faults.push(`${path} does not compile: ${error.message ?? error}`)
  }
}
try {
  parse(group.getTmplGenObjectGroups(), { ecmaVersion: 2020 })
} catch (error) {
  faults.push(`the compiled templates are no code: ${error.message}`)
}

const size = files.reduce((sum, file) => sum + statSync(file).size, 0)
if (size > MAIN_PACKAGE) faults.push(`${size} bytes are more than the 2 MB of a main package`)
conclude(
  faults,
  `mini-program: ${app.pages.length} pages, ${templates.length} templates compile, ${Math.round(size / 1024)} KB`,
)

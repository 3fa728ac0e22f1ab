import type { Plugin } from 'vite'

const FONT_FACE = /@font-face\s*\{[^}]*url\(\s*["']?(?:https?:)?\/\/[^}]*\}/g
const REMOTE_URL = /url\(\s*(["']?)(?:https?:)?\/\/[^)]*\)/g

/**
 * Takes out of every stylesheet what would be fetched from another host (uni's own components name a font on a CDN).
 * A remote font-face goes whole; any other remote url() becomes `none`.
 */
export function noForeignHosts(): Plugin {
  return {
    name: 'no-foreign-hosts',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'asset' || !/\.(css|wxss)$/.test(file.fileName)) continue
        file.source = String(file.source).replace(FONT_FACE, '').replace(REMOTE_URL, 'none')
      }
    },
  }
}

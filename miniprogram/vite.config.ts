import { fileURLToPath } from 'node:url'
import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'
import manifest from './package.json'
import { noForeignHosts } from './build/no-foreign-hosts'

// The plugin is CommonJS: under "type": "module" its function sits in `.default`.
const uni = ((uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin) as typeof uniPlugin
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const face = process.env.UNI_PLATFORM === 'mp-weixin' ? 'weixin' : 'h5'

export default defineConfig({
  plugins: [uni(), noForeignHosts()],
  resolve: { alias: { 'platform-face': at(`./src/platform/${face}.ts`), '@': at('./src') } },
  define: {
    // vue-i18n compiles its messages with `new Function` otherwise, which a strict CSP refuses.
    __INTLIFY_JIT_COMPILATION__: true,
    __UNI_VERSION__: JSON.stringify(manifest.dependencies['@dcloudio/uni-app']),
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
  },
  build: {
    target: 'es2018',
    sourcemap: false,
    // One file a kind: a page that is first opened with no signal must be there already.
    ...(face === 'h5' ? { cssCodeSplit: false, rollupOptions: { output: { inlineDynamicImports: true } } } : {}),
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8000',
      '/demo': 'http://127.0.0.1:8000',
      '/ws': { target: 'ws://127.0.0.1:8000', ws: true },
    },
  },
})

import { createI18n } from 'vue-i18n'
import { computed } from 'vue'
import type { Text } from '@/api/types'
import en from '@/locale/en'
import zh from '@/locale/zh-Hans'
import { face } from '@/platform'

export type Language = 'zh-Hans' | 'en'

const chosen = face.shelf.get<Language>('language')
const first: Language = chosen ?? (/^en/i.test(face.systemLanguage()) ? 'en' : 'zh-Hans')

export const i18n = createI18n({
  legacy: false,
  locale: first,
  fallbackLocale: 'zh-Hans',
  messages: { 'zh-Hans': zh, en },
})

export const t = i18n.global.t
export const te = i18n.global.te
export const language = computed<Language>(() => i18n.global.locale.value as Language)

export function chooseLanguage(next: Language): void {
  i18n.global.locale.value = next
  face.shelf.set('language', next)
  if (typeof document !== 'undefined') document.documentElement.lang = next
}

/** The reader's language of a two-language text. */
export const inLanguage = (text: Text): string => (language.value === 'en' ? text.en || text.zh : text.zh || text.en)

/** A party's or person's name in the reader's language. */
export const nameOf = (party: { name: string; name_en?: string } | null | undefined): string =>
  party ? (language.value === 'en' ? party.name_en || party.name : party.name) : ''

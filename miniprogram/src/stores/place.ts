import { computed, ref } from 'vue'
import type { Consent, Page } from '@/api/types'
import { face, NoPlace, type Place } from '@/platform'
import { isSettled } from '@/queue/item'
import { newId, queue, submit, flush } from './outbox'
import { client, session } from './session'
import type { CaptureExtras } from './signing'

interface KnownConsent {
  member: string
  id: string
  text_version: string | number
}

const KEY = 'consent/location'

export async function fetchLocationConsent(): Promise<Consent | null> {
  const { results } = await client.get<Page<Consent>>('/consents/')
  return results.find((consent) => consent.purpose === 'location') ?? null
}

/** Records a yes or no to the location text; null while the server has not taken it. */
export async function recordConsent(consent: Consent, given: boolean): Promise<string | null> {
  const item = submit({
    id: await newId(),
    kind: 'consent',
    title: { zh: given ? '同意读取位置' : '不提供位置', en: given ? 'Agreed to give location' : 'Location not given' },
    subject: consent.text_id,
    path: '/consents/',
    body: { purpose: consent.purpose, text_id: consent.text_id, text_version: consent.text_version, given },
  })
  await flush()
  const after = queue.item(item.id)
  const id = after && isSettled(after) ? (after.result?.id ?? null) : null
  if (given && id)
    face.shelf.set(KEY, {
      member: session.value?.member.id ?? '',
      id,
      text_version: consent.text_version,
    } satisfies KnownConsent)
  if (!given) face.shelf.remove(KEY)
  return id
}

export type Standing = 'asking' | 'finding' | 'got' | 'refused' | 'unavailable' | 'consentOffline'

/** The place of one act: asked for with its reason, given or refused, and signable either way. */
export function usePlace() {
  const standing = ref<Standing>('asking')
  const place = ref<Place | null>(null)
  const consentId = ref<string | null>(null)
  const consent = ref<Consent | null>(null)

  const known = () => {
    const kept = face.shelf.get<KnownConsent>(KEY)
    return kept?.member === session.value?.member.id ? kept : null
  }

  async function find(): Promise<void> {
    standing.value = 'finding'
    try {
      place.value = await face.locate()
      standing.value = 'got'
    } catch (error) {
      place.value = null
      standing.value = error instanceof NoPlace && error.why === 'refused' ? 'refused' : 'unavailable'
    }
  }

  /** Reads the consent's text; goes straight to locating where this person has agreed to it before. */
  async function begin(): Promise<void> {
    // Without the server's answer, a consent it once recorded still holds on this phone.
    consent.value = await fetchLocationConsent().catch(() => null)
    const kept = known()
    if (consent.value?.given === false) return
    const id = consent.value?.id ?? kept?.id ?? null
    if (!id || (consent.value && !consent.value.given)) return
    if (kept && consent.value && String(kept.text_version) !== String(consent.value.text_version)) return
    consentId.value = id
    await find()
  }

  async function give(): Promise<void> {
    if (!consentId.value) {
      standing.value = 'finding'
      consent.value ??= await fetchLocationConsent().catch(() => null)
      consentId.value = consent.value ? await recordConsent(consent.value, true) : null
      if (!consentId.value) {
        standing.value = 'consentOffline'
        return
      }
    }
    await find()
  }

  async function refuse(): Promise<void> {
    standing.value = 'refused'
    place.value = null
    const had = consentId.value !== null
    consentId.value = null
    if (consent.value && (had || consent.value.given !== false)) await recordConsent(consent.value, false)
  }

  const extras = computed<CaptureExtras>(() => ({
    location: place.value,
    location_refused: standing.value === 'refused',
    consent: place.value ? consentId.value : null,
  }))
  const settled = computed(() => standing.value !== 'asking' && standing.value !== 'finding')
  return { standing, place, consent, extras, settled, begin, find, give, refuse }
}

import { httpCall } from './shared'

/** A demonstration handset, as `GET /demo/handsets/` tells it. */
export interface HandsetPlace {
  label: { zh: string; en: string }
  latitude: number | string
  longitude: number | string
  accuracy_m: number
}

export interface Handset {
  id: string
  person: string | { name: string; name_en?: string }
  label: { zh: string; en: string }
  home: string
  place: HandsetPlace
  places: HandsetPlace[]
  network: { type: string; ip: string }
  device: { model: string; system: string }
}

/** The demonstration's handsets; null where this server is no demonstration or does not answer. */
export async function fetchHandsets(): Promise<Handset[] | null> {
  const answer = await httpCall('', { method: 'GET', path: '/demo/handsets/', headers: { Accept: 'application/json' } })
  if (answer.status !== 200) return null
  const body = answer.body as Handset[] | { results: Handset[] }
  return Array.isArray(body) ? body : body.results
}

/** A login code for whoever is played on `handset`; throws when the simulator gives none. */
export async function fetchDemoCode(handset: string, playing: string): Promise<string> {
  const answer = await httpCall('', {
    method: 'POST',
    path: `/demo/handsets/${encodeURIComponent(handset)}/code`,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(playing && playing !== handset ? { as: playing } : {}),
  })
  const code = (answer.body as { code?: string } | null)?.code
  if (!code) throw new LoginUnavailable(answer.status)
  return code
}

export class LoginUnavailable extends Error {
  constructor(readonly status: number) {
    super(`no login code (${status})`)
  }
}

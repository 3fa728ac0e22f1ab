import { computed, reactive } from 'vue'
import { Client } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Session } from '@/api/types'
import { face } from '@/platform'
import { type DeviceKey, newDeviceKey, sessionProof } from '@/signer/key'
import { language } from './language'

interface Kept {
  token: string
  session: Session
  skew_ms: number
}

type Standing = 'starting' | 'in' | 'out' | 'failed'

const kept = face.shelf.get<Kept>('session')

export const state = reactive<{ standing: Standing; session: Session | null; problem: Problem | null }>({
  standing: kept ? 'in' : 'starting',
  session: kept?.session ?? null,
  problem: null,
})

let token = kept?.token ?? null
let skew = kept?.skew_ms ?? 0
let signingIn: Promise<void> | null = null
const entered: (() => void)[] = []

export const session = computed(() => state.session)

export const client = new Client((call) => face.request(call), {
  token: () => token,
  renew: (spent) => (spent !== token && token !== null ? Promise.resolve() : signIn()),
  language: () => language.value,
})

/** Called after each sign-in: the queue and the live connection start then. */
export const onSignedIn = (heard: () => void): void => void entered.push(heard)

export const currentToken = (): string | null => token

/** This device's key, made at first use; its seed never leaves the shelf of this handset. */
export async function deviceKey(): Promise<DeviceKey> {
  const known = face.shelf.get<DeviceKey>('device-key')
  if (known) return known
  const made = newDeviceKey(await face.random(32))
  face.shelf.set('device-key', made)
  return made
}

/** Now, in ms. A phone clock that is far off is put right by the server's, so that it does not cost a signature. */
export const now = (): number => Date.now() + (Math.abs(skew) > 30_000 ? skew : 0)
export const timestamp = (): string => new Date(now()).toISOString()

/** Signs in, as `member` where a person acts for several organisations. Throws Problem; concurrent calls share one try. */
export function signIn(member?: string): Promise<void> {
  signingIn ??= enter(member ?? state.session?.member.id).finally(() => {
    signingIn = null
  })
  return signingIn
}

interface Opened {
  token: string
  session: Session
}

/** Asks the server to open a session on this device. Throws Problem. */
async function ask(more: { member?: string; invitation?: string }): Promise<Opened> {
  try {
    const key = await deviceKey()
    const code = await face.loginCode().catch((error) => {
      throw new Problem(0, 'login-unavailable', '', String(error))
    })
    return await client.open<Opened>('/session/', {
      code,
      device: { public_key: key.publicKey, proof: sessionProof(key, code), ...face.device() },
      network_type: await face.networkType(),
      language: language.value,
      ...more,
      ...(face.handset ? { handset: face.handset } : {}),
    })
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, 'phone-fault', '', String(error))
  }
}

function take(answer: Opened): void {
  token = answer.token
  skew = Date.parse(answer.session.server_time) - Date.now()
  face.shelf.set('session', { token, session: answer.session, skew_ms: skew } satisfies Kept)
  face.shelf.remove('signed-out')
  Object.assign(state, { standing: 'in', session: answer.session, problem: null })
  for (const heard of entered) heard()
}

async function enter(member: string | undefined): Promise<void> {
  try {
    take(await ask(member ? { member } : {}))
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    // Someone who was signed in keeps reading and signing on the phone; only a page with nothing to show says it failed.
    if (!(problem.status === 0 && state.session)) Object.assign(state, { standing: 'failed', problem })
    throw problem
  }
}

/** Accepts an invitation: whoever signs in becomes a member first, and acts as that. Throws Problem, and then nothing changed. */
export async function join(invitation: string): Promise<void> {
  take(await ask({ invitation }))
}

/** At start: goes on with the kept session, signs in where there is none. */
export async function start(): Promise<void> {
  if (!face.canSignIn) return
  if (face.shelf.get('signed-out')) {
    state.standing = 'out'
    return
  }
  if (state.session) {
    for (const heard of entered) heard()
    return
  }
  // The reason is in `state.problem`, which the page shows.
  await signIn().catch(() => undefined)
}

function forget(): void {
  token = null
  face.shelf.remove('session')
  Object.assign(state, { session: null, problem: null })
}

/** Signs out for good: the server revokes the token. The device key and what waits to be sent stay. */
export async function signOut(): Promise<void> {
  try {
    await client.remove('/session/')
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error
  }
  forget()
  face.shelf.set('signed-out', true)
  state.standing = 'out'
}

/** Another person (or organisation) takes this handset: their session replaces this one. */
export async function switchTo(member?: string): Promise<void> {
  forget()
  state.standing = 'starting'
  await signIn(member).catch(() => undefined)
}
